import pytest

from gateway.server.addressing import Addressing

GOOD = "127.0.0.1:39400"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:39400", "[::1]", "[::1]:39400"]
)
def test_loopback_names_are_let_in_on_any_port(host: str) -> None:
    assert Addressing().refuse(host, None) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil", "127.0.0.2", "localhost.", "[::2]", "192.0.2.1"]
)
def test_any_other_host_is_forbidden(host: str) -> None:
    """I3."""
    refusal = Addressing().refuse(host, None)
    assert refusal is not None
    assert refusal.status == 403


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "a/health?x=",
        "localhost/health",
        "u@localhost",
        "localhost:x",
        "localhost:99999",
        "local host",
        "localhost, localhost",
        "[::1",
        "localhost:80:80",
        "loc\u0430lhost",
    ],
)
def test_what_is_no_host_is_a_bad_request(host: str | None) -> None:
    """I4, T13."""
    refusal = Addressing().refuse(host, None)
    assert refusal is not None
    assert refusal.status == 400


@pytest.mark.parametrize(
    "origin", [None, "http://localhost:3000", "https://127.0.0.1", "HTTP://LOCALHOST"]
)
def test_no_origin_and_loopback_origins_are_let_in(origin: str | None) -> None:
    assert Addressing().refuse(GOOD, origin) is None


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://localhost.evil",
        "http://127.0.0.1@evil",
        "http://localhost, http://localhost",
        "file://localhost",
        "localhost",
        "http://localhost/x",
    ],
)
def test_any_other_origin_is_forbidden(origin: str) -> None:
    """I1, I2."""
    refusal = Addressing().refuse(GOOD, origin)
    assert refusal is not None
    assert refusal.status == 403


def test_the_operator_can_allow_hosts_and_whole_origins() -> None:
    addressing = Addressing(hosts=["Gateway.Example"], origins=["https://app.example/"])
    assert addressing.refuse("gateway.example:443", "https://app.example") is None
    assert addressing.refuse("gateway.example", "http://app.example") is not None
    assert addressing.refuse("app.example", None) is not None


def test_the_bound_host_is_let_in() -> None:
    assert Addressing("192.0.2.7").refuse("192.0.2.7:39400", None) is None
    assert Addressing("2001:db8::1").refuse("[2001:db8::1]", None) is None


@pytest.mark.parametrize("bound", ["0.0.0.0", "::", ""])  # noqa: S104  nothing is bound here
def test_bound_to_every_address_any_address_is_let_in_but_no_name(bound: str) -> None:
    addressing = Addressing(bound)
    assert addressing.refuse("192.0.2.7:39400", None) is None
    assert addressing.refuse("[2001:db8::1]", None) is None
    assert addressing.refuse("evil.example", None) is not None


def test_a_good_pair_does_not_vouch_for_another() -> None:
    addressing = Addressing()
    assert addressing.refuse(GOOD, None) is None
    assert addressing.refuse(GOOD, "http://evil.example") is not None
    assert addressing.refuse("evil.example", None) is not None
