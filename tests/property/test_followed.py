"""Whatever URL an API gives to go on at: it is sent to us as it is, or not at all (I47, I48)."""

from urllib.parse import parse_qsl, unquote, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.capability.sending.links import LinkError, as_given
from gateway.capability.sending.request import with_query

ORIGIN = "https://api.example"
PIECES = (
    *("/", "//", "\\", "?", "#", "@", ":", ";", "&", "=", "%", ".", "..", "%2e", "%2f", "%5c"),
    *(
        "%252e",
        "http:",
        "https:",
        "HTTPS://",
        ORIGIN,
        "api.example",
        "evil.example",
        ":443",
        "[::1]",
    ),
    *(
        "\r\n",
        "\0",
        " ",
        "\t",
        "ü",
        "\u2028",
        "\ud800",
        "key=1",
        "k%65y=1",
        "a=b",
        "x",
        "{{",
        "u:p@",
    ),
)
links = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join)
local = links.map(lambda text: f"/{text}")


def climbs(text: str) -> bool:
    """Whether a server that decodes a few times could climb."""
    for _ in range(4):
        if any(
            part.partition(";")[0] in (".", "..") for part in text.replace("\\", "/").split("/")
        ):
            return True
        text = unquote(text)
    return False


def stays(url: str) -> None:
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("https", "api.example")
    assert url.startswith(f"{ORIGIN}/")
    assert url.isascii()
    assert url.isprintable()
    assert not set(url) & set(" #\\")
    assert not climbs(parts.path)


@settings(max_examples=300)
@given(links | links.map(lambda text: f"https://{text}"))
def test_a_given_url_stays_at_our_origin(link: str) -> None:
    try:
        url = as_given(f"{ORIGIN}/v1", link, ("key",))
    except LinkError:
        return
    stays(url)
    assert not any(name == "key" for name, _ in parse_qsl(urlsplit(url).query))


@settings(max_examples=300)
@given(local, st.sampled_from(["", ORIGIN, "http://API.example:80"]))
def test_a_given_url_is_not_changed(path: str, home: str) -> None:
    try:
        url = as_given(f"{ORIGIN}/v1", home + path)
    except LinkError:
        return
    stays(url)
    assert url == ORIGIN + path


@given(local, st.sampled_from(["d=1", "d=1&e=%26"]))
def test_what_is_added_to_it_is_the_last_of_its_pairs(link: str, query: str) -> None:
    try:
        url = as_given(f"{ORIGIN}/v1", link)
    except LinkError:
        return
    longer = with_query(url, query)
    assert longer.startswith(url)
    before, after = urlsplit(url), urlsplit(longer)
    assert (after.path, after.netloc) == (before.path, before.netloc)
    assert after.query.rstrip("&").endswith(query)
    assert after.query.removesuffix(query).rstrip("&") == before.query.rstrip("&")
