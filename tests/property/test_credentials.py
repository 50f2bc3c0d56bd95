"""What servers say of credentials, whatever it is, raises nothing; a settled URL stays settled."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.credentials.aws_sigv4 import settled
from gateway.credentials.digest import Who, choose, proof
from gateway.credentials.oauth.challenge import challenges
from gateway.credentials.session_credential import cookies
from gateway.http.message import HttpRequest

PARTS = st.sampled_from(
    [
        "Digest ",
        "realm=",
        '"r"',
        '"n',
        "nonce=",
        '"',
        "qop=",
        "auth",
        ",",
        " ",
        "\\",
        "MD5",
        "=",
        "é",
    ]
)
HEADERS = st.lists(PARTS, max_size=30).map("".join) | st.text(max_size=200)
ENCODED = st.text("abZ019-._~%2F+&=:@/?*!", max_size=40)


@given(HEADERS, st.text(max_size=20), st.binary(max_size=20))
def test_any_challenge_is_answered_in_one_header_line_or_not_at_all(header, name, body):
    asked = choose(challenges(header))
    if asked is not None:
        who = Who(name.encode("utf-8", "replace").decode(), "p")
        shown = proof(asked, who, HttpRequest("POST", "https://h/x", (), body), 1, "c")
        assert shown.startswith("Digest username")
        [said] = challenges(shown)
        assert (said.params["realm"], said.params["nonce"]) == (asked.realm, asked.nonce)


@given(
    st.lists(
        st.sampled_from(["a=1", "b=", ";", ",", " ", "Expires=Wed, 2", "=", "é", '"']), max_size=20
    )
)
def test_any_cookies_are_names_and_values_that_fit_into_one_header(parts):
    for name, value in cookies("".join(parts)):
        assert not set(f"{name}{value}") & set("; ,\r\n")


@given(ENCODED)
def test_a_settled_url_stays_as_it_is_at_its_host_with_its_segments(rest):
    once = settled(f"https://h.example/{rest}")
    assert settled(once) == once
    assert once.startswith("https://h.example/")
    assert once.partition("?")[0].count("/") == 3 + rest.partition("?")[0].count("/")
