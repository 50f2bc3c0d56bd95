"""However an API cuts its list into pages, the list comes whole, and nobody leaves its origin."""

from typing import Any
from urllib.parse import unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from gateway.capability.sending.links import LinkError, led_to
from gateway.http.message import HttpResponse
from tests.unit.capability.flows import Played, answer, tool_of

TOOLS = {
    style: tool_of(
        f"args: {{at: {{type: {type_}}}}}\nget: /x\nquery: {{at: '{{{{ args.at }}}}'}}\n"
        f"paginate: {{items: $.i, {style}: {way}, max_pages: 7, max_items: 40}}"
    )
    for style, type_, way in (
        ("cursor", "string", "{from: $.next, query: at}"),
        ("offset", "integer", "{query: at}"),
        ("next_url", "string", "$.url"),
    )
}
HERE = "https://api.example.com/v1/things?page=1"


@st.composite
def cuts(draw: st.DrawFn) -> list[int]:
    """The sizes of the pages: none is empty."""
    return draw(st.lists(st.integers(1, 12), min_size=1, max_size=12))


def pages(sizes: list[int]) -> dict[int, HttpResponse]:
    """Offset -> the page that begins there."""
    found, at, total = {}, 0, sum(sizes)
    for size in sizes:
        following = at + size if at + size < total else None
        body: dict[str, Any] = {"i": list(range(at, at + size)), "next": None, "url": None}
        if following is not None:
            body |= {"next": str(following), "url": f"?at={following}"}
        found[at] = answer(body)
        at += size
    return found | {total: answer({"i": []})}


def whole(style: str, sizes: list[int]) -> tuple[list[int], int]:
    """What comes of calls until nothing is left, and how many requests that took."""
    there, items, requests = pages(sizes), [], 0
    at: Any = None
    for _ in range(100):
        args = {} if at is None else {"at": at}
        start = int(at or 0)
        offsets = [offset for offset in there if offset >= start]
        played = Played(TOOLS[style], [there[offset] for offset in offsets], **args)
        requests += len(played.requests)
        known = items.index(played.value[0]) if played.value and played.value[0] in items else None
        items = items[:known] + played.value
        if "next" not in played.meta:
            return items, requests
        at = played.meta["next"]
        if style == "next_url":
            at = urlsplit(at).query.removeprefix("at=")
    raise AssertionError("it never ends")


@given(style=st.sampled_from(["cursor", "next_url"]), sizes=cuts())
def test_following_what_is_said_gives_all_items_in_order(style: str, sizes: list[int]) -> None:
    items, _ = whole(style, sizes)
    assert items == list(range(sum(sizes)))


@given(sizes=cuts())
def test_a_call_asks_for_no_more_than_its_pages(sizes: list[int]) -> None:
    played = Played(TOOLS["cursor"], list(pages(sizes).values()))
    assert len(played.requests) <= len(sizes)
    assert len(played.value) <= 40
    assert len(played.requests) <= 7


@given(total=st.integers(0, 100), size=st.integers(1, 12))
def test_offsets_give_all_items_in_order_too(total: int, size: int) -> None:
    items: list[int] = []
    at: int | None = 0
    while at is not None:
        rest = range(at, total + size, size)
        answers = [answer({"i": list(range(one, min(one + size, total)))}) for one in rest]
        played = Played(TOOLS["offset"], [*answers, answer({"i": []})], at=at)
        items += played.value
        at = played.meta.get("next")
    assert items == list(range(total))


@given(
    st.text(max_size=40)
    | st.builds(
        lambda *parts: "".join(parts),
        st.sampled_from(["", "//", "http:", "https://", "https://api.example.com", "/", "\\"]),
        st.sampled_from(["", "@", "evil.example", ":443", "%2e%2e/", "../", "?", "#", "[::1]"]),
        st.text(max_size=20),
    )
)
def test_no_link_leads_elsewhere_or_climbs(link: str) -> None:
    """I47: whatever an API says."""
    try:
        url = led_to(HERE, link)
    except LinkError:
        return
    parts = urlsplit(url)
    assert url.startswith("https://api.example.com/")
    assert (parts.scheme, parts.netloc) == ("https", "api.example.com")
    assert url.isascii()
    assert not any(character.isspace() for character in url)
    assert not {".", ".."} & set(unquote(unquote(parts.path)).split("/"))
