"""However a URI is spelled that a server's SDK takes for a denied one, the deny holds."""

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import AnyUrl, ValidationError

from gateway.domain.globs import Globs
from gateway.domain.identity import Identity, Level
from gateway.domain.policies import Policies
from gateway.domain.policy import Kind
from gateway.domain.rules import Assigned, Rule
from gateway.domain.uri_forms import forms, glob_forms

PIECES = (
    *("mem:", "MEM:", "file:", "FILE:", "http:", "Http:", "https:", "/", "//", "\\", ":80", ":443"),
    *(
        "a",
        "A",
        "host",
        "HOST",
        "localhost",
        "etc",
        "secret",
        "se",
        "cret",
        "..",
        ".",
        "%2e",
        "%2F",
    ),
    *("%5c", "%61", "%2561", "\t", "\n", "\r", " ", "\x00", "?", "#", "?x=/../y", "é", "e\u0301"),
)
uris = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)
DENIED = ("mem://a/secret", "file:///etc/secret", "http://host/secret", "https://host/etc/secret")


def denying(pattern: str, level: Level = Level.DENY) -> Policies:
    every = Rule("all", Level.EXECUTE)
    rules = (Rule("one", level, resources=(pattern,)), *([every] * (level is Level.DENY)))
    return Policies([Assigned("p", everyone=True, rules=rules)])


DENYING = {pattern: denying(pattern).of(Identity("ann")) for pattern in DENIED}
ALLOWING = denying("file:///etc/*", Level.EXECUTE).of(Identity("ann"))


def spelled(uri: str) -> st.SearchStrategy[str]:
    """A URI with something between its characters."""
    odd = st.sampled_from(("\t", "\n", "/", "\\", "./", "x/../", "", "", "", "", "", ""))
    many = st.lists(odd, min_size=len(uri), max_size=len(uri))
    return many.map(lambda between: "".join(a + b for a, b in zip(between, uri, strict=True)))


@given(uris | st.sampled_from(DENIED).flatmap(spelled))
@example("mem://a/se\tcret")
@example(" mem://a/secret")
@example("file:/etc/secret")
@example("file:\\\\\\etc\\secret")
@example("http:\\HOST:80/secret")
@example("mem://a//secret")
@example("mem:/a//b")
def test_a_deny_holds_for_whatever_an_sdk_reads_as_what_is_denied(uri: str) -> None:
    """By pydantic's AnyUrl, which is how servers of the first Python SDK take a URI; `new URL` of
    the TypeScript one does the same.
    """
    try:
        read = str(AnyUrl(uri))
    except ValidationError:
        return
    for pattern, rights in DENYING.items():
        if read == pattern:
            assert not rights.decide(Kind.RESOURCE, "b", uri).visible, uri
    if not read.startswith("file:///etc/"):
        assert not ALLOWING.decide(Kind.RESOURCE, "b", uri).visible, uri


@given(uris)
def test_forms_of_forms_are_no_others(uri: str) -> None:
    for form in forms(uri)[1:]:
        assert set(forms(form)) <= {form, *forms(form)[1:]}
    known = Globs((form, 1) for form in glob_forms("http://HOST:80/a*"))
    assert known.fitting("http://host/abc")


def test_what_differs_in_nothing_but_query_or_fragment_is_denied_too() -> None:
    rights = DENYING["mem://a/secret"]
    for uri in ("mem://a/secret?x=1", "mem://a/secret#x", "mem://a/%73ecret?", "mem://a/secret%23"):
        assert not rights.decide(Kind.RESOURCE, "b", uri).visible, uri
    assert rights.decide(Kind.RESOURCE, "b", "mem://a/other?x=1").allowed
