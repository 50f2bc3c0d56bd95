from gateway.domain.merged import Merged
from gateway.domain.naming import Owned
from tests.peers.offering import offering, prompt, resource, template

FS = offering(
    "fs",
    prompts=[prompt("review", title="Review", future={"x": 1})],
    resources=[resource("file:///a", "a"), resource("test://shared", "s", size=3)],
    templates=[template("file:///docs/{name}"), template("db://{table}")],
)
DB = offering(
    "db",
    prompts=[prompt("review")],
    resources=[resource("test://shared", "s")],
    templates=[template("db://{table}"), template("sql://{db}/{table}")],
)
NAMES = [Owned("db", "test://shared"), Owned("fs", "test://shared")]


def merged(*listings: object) -> Merged:
    return Merged({one.name: one for one in listings or (DB, FS)})  # type: ignore[attr-defined]


def test_prompts_are_listed_under_names_that_lead_back() -> None:
    found = merged()
    assert [one["name"] for one in found.prompts] == ["db__review", "fs__review"]
    assert found.prompt("fs__review") == Owned("fs", "review")
    assert found.prompt("review") is None


def test_nothing_but_the_name_of_a_prompt_is_changed() -> None:
    (listed,) = merged(FS).prompts
    assert listed == {**FS.prompts[0], "name": "fs__review"}


def test_a_prompt_that_its_server_lists_twice_is_listed_once() -> None:
    found = merged(offering("a", prompts=[prompt("p", n=1), prompt("p", n=2)]))
    assert [one["n"] for one in found.prompts] == [1]


def test_uris_stay_as_they_are_where_one_server_has_them() -> None:
    listed = {one["uri"]: one for one in merged().resources}
    assert list(listed) == ["capgate://db/test://shared", "file:///a", "capgate://fs/test://shared"]
    assert listed["capgate://fs/test://shared"]["size"] == 3
    assert listed["file:///a"]["name"] == "fs__a"


def test_a_uri_of_two_servers_needs_its_owner_named() -> None:
    found = merged()
    assert found.resource("test://shared") == NAMES
    assert found.resource("capgate://db/test://shared") == (NAMES[0],)
    assert found.resource("capgate://fs/file:///a") == (Owned("fs", "file:///a"),)


def test_a_server_cannot_speak_in_the_name_of_another() -> None:
    liar = offering("liar", resources=[resource("capgate://fs/file:///a")])
    found = merged(FS, liar)
    assert found.resource("capgate://fs/file:///a") == (Owned("fs", "file:///a"),)
    assert found.resources[-1]["uri"] == "capgate://liar/capgate://fs/file:///a"
    own = Owned("liar", "capgate://fs/file:///a")
    assert found.resource("capgate://liar/capgate://fs/file:///a") == (own,)


def test_an_unlisted_uri_is_whose_template_it_fits() -> None:
    found = merged()
    assert found.resource("file:///docs/x") == [Owned("fs", "file:///docs/x")]
    assert found.resource("sql://a/b") == [Owned("db", "sql://a/b")]
    assert [own.backend for own in found.resource("db://t")] == ["db", "fs"]
    assert found.resource("nobody://x") == []


def test_a_path_that_no_template_fits_is_whose_template_it_resembles() -> None:
    """The specification itself gives file:///{path} as the template of a folder."""
    assert merged().resource("file:///docs/a/b") == [Owned("fs", "file:///docs/a/b")]


def test_templates_are_told_apart_as_resources_are() -> None:
    found = merged()
    assert [one["uriTemplate"] for one in found.templates] == [
        "capgate://db/db://{table}",
        "sql://{db}/{table}",
        "file:///docs/{name}",
        "capgate://fs/db://{table}",
    ]
    assert found.template("sql://{db}/{table}") == [Owned("db", "sql://{db}/{table}")]
    assert found.template("capgate://fs/db://{table}") == (Owned("fs", "db://{table}"),)


def test_what_a_contested_template_expands_to_leads_to_its_owner() -> None:
    found = merged()
    assert found.resource("capgate://fs/db://a%20b") == (Owned("fs", "db://a%20b"),)


def test_the_only_server_with_resources_has_those_that_nobody_lists() -> None:
    rest = offering("api", capabilities={"tools": {}})
    assert merged(FS, rest).resource("new:1") == [Owned("fs", "new:1")]
    assert merged(FS, DB, rest).resource("new:1") == []
