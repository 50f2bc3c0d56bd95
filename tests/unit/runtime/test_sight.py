"""What one caller sees of a snapshot: what it may, all of that, and nothing of the rest."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.conditions import Condition
from gateway.domain.identity import Grant, Identity, Level
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.policies import Policies
from gateway.domain.policy import ALL
from gateway.domain.rules import Assigned, Rule
from gateway.domain.search import Index
from gateway.domain.tool import ToolRef
from gateway.errors import BackendNotFound, Denied, ToolNotFound
from gateway.runtime.admission import judge_call, judge_query, subject
from gateway.runtime.view import View
from tests.peers.offering import Servers, offering, prompt, resource, template

ANN = Identity("ann")
GIT = offering(
    "git",
    tools=("get", "get_all", "drop"),
    prompts=[prompt("review"), prompt("blame")],
    resources=[resource("git://a"), resource("git://b/secret")],
    templates=[template("git://{path}")],
)
MAIL = offering("mail", tools=("send",))
EMPTY = offering("empty")
NEW = replace(offering("new"), settled=False)


def rule(level: Level, backend: str = "*", **more: Any) -> Rule:
    return Rule("policies.p.rules[0]", level, (backend,), **more)


def view(*rules: Rule, who: Identity = ANN, listings: tuple[Listing, ...] = ()) -> View:
    offered = listings or (GIT, MAIL, EMPTY, NEW)
    servers = Servers(*offered)
    policies = Policies([Assigned("policies.p", everyone=True, rules=rules)])
    index = Index.build(tool for listing in offered for tool in listing.tools)
    aliases = {"g": "git", "m": "mail"}
    snapshot = replace(servers.snapshot(), policy=policies, index=index, aliases=aliases)
    return View(snapshot, lambda _: None, who)


def names(items: Any, key: str = "name") -> list[str]:
    return [item[key] for item in items]


def test_only_what_may_be_seen_is_there() -> None:
    seen = view(
        rule(Level.EXECUTE, "git", tools=("get*",), prompts=("review",), resources=("git://a",)),
    )
    assert list(seen.backends) == ["git"]
    listing = seen.backends["git"]
    assert [tool.ref.name for tool in listing.tools] == ["get", "get_all"]
    assert names(listing.prompts) == ["review"]
    assert names(listing.resources, "uri") == ["git://a"]
    assert listing.templates == ()
    assert listing.capabilities == GIT.capabilities
    assert seen.find(ToolRef("git", "drop")) is None
    assert seen.find(ToolRef("mail", "send")) is None
    assert seen.search("drop get send", 50).total == 2


def test_what_is_seen_as_it_is_is_the_very_same() -> None:
    seen = view(rule(Level.READ))
    assert seen.backends["git"] is GIT
    assert list(seen.backends.values()) == [EMPTY, GIT, MAIL, NEW]
    whole = view(who=Identity("a"))
    whole.snapshot.policy.of(ANN)
    assert View(whole.snapshot, lambda _: None, replace(ANN, operator=True)).rights is ALL


def test_a_server_is_seen_for_what_it_offers_or_might() -> None:
    assert list(view(rule(Level.EXECUTE, tools=("send",))).backends) == ["empty", "mail", "new"]
    assert list(view(rule(Level.EXECUTE, "git", tools=("no_such",))).backends) == []
    assert list(view(rule(Level.EXECUTE, "e*", tools=("x",))).backends) == ["empty"]
    denied = view(rule(Level.EXECUTE, "empty", tools=("x",)), rule(Level.DENY, tools=("*",)))
    assert list(denied.backends) == []


def test_an_alias_of_what_is_hidden_is_no_alias() -> None:
    seen = view(rule(Level.EXECUTE, "git", tools=("get",)))
    assert seen.backend("g").name == "git"
    assert seen.name_of("m") == "m"
    for name in ("mail", "m", "z"):
        with pytest.raises(BackendNotFound) as raised:
            seen.backend(name)
        assert raised.value.explain().replace(repr(name), "NAME") == (
            "no server NAME (server_not_found; not_sent)\n"
            "next: gateway_list_servers names every server"
        )


async def test_a_server_of_the_same_name_as_an_alias_is_judged_as_itself() -> None:
    """The one name decides who is asked and who is judged."""
    listings = (replace(MAIL, name="g", tools=()), GIT)
    seen = view(rule(Level.EXECUTE, "git"), rule(Level.READ, "g"), listings=listings)
    with pytest.raises(Denied):
        await seen.call(ToolRef("g", "get"), {})


async def test_what_is_denied_for_its_arguments_is_not_called_although_it_is_seen() -> None:
    when = (Condition("n", at_least=5),)
    deny = Rule("policies.p.rules[1]", Level.DENY, tools=("get",), when=when)
    seen = view(rule(Level.EXECUTE), deny)
    assert seen.find(ToolRef("git", "get")) is not None
    await seen.call(ToolRef("git", "get"), {"n": 4})
    for arguments in ({"n": 5}, {"n": "4"}, {}):
        with pytest.raises(Denied) as raised:
            await seen.call(ToolRef("git", "get"), arguments)
        assert raised.value.rule == "policies.p.rules[1]"


async def test_a_server_that_is_only_just_connecting_is_called_by_names_that_are_allowed() -> None:
    seen = view(rule(Level.EXECUTE, "new", tools=("get",)))
    await seen.call(ToolRef("new", "get"), {})
    with pytest.raises(ToolNotFound):
        await seen.call(ToolRef("new", "drop"), {})


@pytest.mark.parametrize(
    ("method", "params", "allowed"),
    [
        ("prompts/get", {"name": "review"}, True),
        ("prompts/get", {"name": "blame"}, False),
        ("prompts/get", {}, False),
        ("resources/read", {"uri": "git://a"}, True),
        ("resources/read", {"uri": "git://b/secret"}, False),
        ("resources/subscribe", {"uri": "git://b/secret"}, False),
        ("resources/unsubscribe", {"uri": "git://a"}, True),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "review"}}, True),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "blame"}}, False),
        ("completion/complete", {"ref": {"type": "ref/resource", "uri": "git://b/{x}"}}, False),
        ("completion/complete", {"ref": "blame"}, False),
        (
            "completion/complete",
            {"ref": {"type": "ref/resource", "uri": "git://b/{x}", "name": "review"}},
            False,
        ),
        (
            "completion/complete",
            {"ref": {"type": "ref/prompt", "name": "blame", "uri": "git://a"}},
            False,
        ),
        ("tasks/get", {"taskId": "1"}, True),
        ("logging/setLevel", {"level": "info"}, True),
        ("acme/anything", {}, False),
    ],
)
async def test_every_other_request_is_judged_by_what_it_is_about(
    method: str, params: dict[str, Any], *, allowed: bool
) -> None:
    granted = rule(
        Level.EXECUTE, "git", tools=("get",), prompts=("review",), resources=("git://a",)
    )
    seen = view(granted)
    if allowed:
        await seen.query("git", method, params)
    else:
        with pytest.raises((ToolNotFound, Denied)):
            await seen.query("git", method, params)
    with pytest.raises(BackendNotFound):
        await seen.query("mail", method, params)
    await view(rule(Level.EXECUTE, "git")).query("git", method, params)


def test_whoever_may_only_read_is_told_so() -> None:
    rights = view(rule(Level.READ, "git")).rights
    with pytest.raises(Denied, match="'ann' may not call tool 'get' of server 'git'"):
        judge_call(ANN, rights, "git", "get", {})
    with pytest.raises(Denied, match="'ann' may not use prompt 'review' of server 'git'"):
        judge_query(ANN, rights, "git", subject("prompts/get", {"name": "review"}))


def test_what_was_seen_is_worked_out_again_only_for_what_has_changed() -> None:
    before = view(rule(Level.EXECUTE, "git", tools=("get",)), rule(Level.READ, "mail"))
    seen, others = before.backends["git"], before.backends["mail"]
    ill = replace(GIT, health=Health(Status.DOWN, "ill"))
    more = replace(MAIL, tools=(*MAIL.tools, replace(MAIL.tools[0], ref=ToolRef("mail", "more"))))
    servers = Servers(ill, more)
    snapshot = replace(servers.snapshot(2), policy=before.snapshot.policy)
    snapshot.follow(before.snapshot)
    after = View(snapshot, lambda _: None, ANN)
    assert after.backends["git"].tools is seen.tools
    assert after.backends["git"].health == ill.health
    assert len(after.backends["mail"].tools) == len(others.tools) + 1
    assert View(snapshot, lambda _: None, Identity("bob")).backends["git"].tools == seen.tools


def test_under_another_policy_everything_is_worked_out_again() -> None:
    before = view(rule(Level.EXECUTE, "git"))
    assert "git" in before.backends
    snapshot = replace(before.snapshot, policy=Policies([Assigned("p", keys=("bob",))]))
    snapshot.follow(before.snapshot)
    assert list(View(snapshot, lambda _: None, ANN).backends) == []


def test_two_of_one_name_and_other_grants_see_each_their_own() -> None:
    seen = view(rule(Level.EXECUTE))
    bound = Identity("ann", grant=Grant(backends=("mail",)))
    assert list(View(seen.snapshot, lambda _: None, bound).backends) == ["mail"]
    assert "git" in seen.backends


async def test_a_request_to_a_hidden_server_is_told_of_as_refused_by_its_rule() -> None:
    told: list[Any] = []
    hidden = view(rule(Level.DENY, "mail"), rule(Level.EXECUTE))
    seen = View(hidden.snapshot, told.append, ANN)
    for backend in ("mail", "nowhere"):
        with pytest.raises(BackendNotFound):
            await seen.query(backend, "prompts/get", {"name": "review"})
    assert [(one.outcome, one.denied) for one in told] == [
        ("server_not_found", True),
        ("server_not_found", False),
    ]
