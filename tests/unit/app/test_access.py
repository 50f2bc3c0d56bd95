"""What lets clients in, made anew from one configuration after another."""

from gateway.app.access import AccessMaker
from gateway.auth.access import OPEN
from gateway.config.load import understand
from gateway.credentials.redact import Redactor

KEY = "a-key-of-twenty-and-more"
AUTO = "auth: {enabled: true, bearer_token: auto}"


async def nothing(request, *, seconds, cap, private=False):
    raise AssertionError(request, seconds, cap, private)


class Http:
    send = staticmethod(nothing)


def config(text):
    loaded = understand(text.encode(), "gateway.yaml", {}, {})
    assert loaded.config is not None, loaded.issues
    return loaded.config


def maker(redactor=None):
    return AccessMaker(redactor or Redactor(), Http())


def test_without_it_nobody_is_asked():
    assert maker()(config(f"auth: {{bearer_token: {KEY}}}")) is OPEN


def test_what_has_not_changed_is_the_very_same():
    made = maker()
    first = made(config(AUTO))
    assert made(config(f"{AUTO}\naliases: {{a: b}}")) is first
    assert made(config(f"auth: {{enabled: true, bearer_token: {KEY}}}")) is not first


async def test_a_made_up_token_stays_and_is_told_once_and_masked_from_then_on():
    told, redactor = [], Redactor()
    made = maker(redactor)
    first = made(config(AUTO))
    made.announce(told.append)
    [token] = told
    assert redactor.text(f"a {token} b") == "a *** b"
    made(config(f"auth: {{enabled: true, bearer_token: {KEY}}}"))
    second = made(config(f"{AUTO[:-1]}, public_paths: [/x]}}"))
    assert second is not first
    assert (await second.identify(f"Bearer {token}")).name == "bearer"
    assert told == [token]


def test_one_that_is_first_wanted_later_is_told_then():
    told = []
    made = maker()
    made(config("{}"))
    made.announce(told.append)
    assert told == []
    made(config(AUTO))
    assert len(told) == 1


def test_keys_are_masked_while_they_count_also_where_nobody_is_asked_yet():
    """I42."""
    redactor = Redactor()
    made = maker(redactor)
    made(config(f"auth: {{api_keys: [{{name: a, key: {KEY}}}]}}"))
    assert redactor.text(KEY) == "***"


def test_that_nobody_is_asked_any_more_is_told(caplog):
    made = maker()
    for text, told in (("{}", 0), (AUTO, 0), ("{}", 1), ("aliases: {a: b}", 1)):
        made(config(text))
        assert [one.message for one in caplog.records].count("access_opened") == told


def test_where_other_machines_reach_us_asking_goes_on():
    open_ = "server: {host: 0.0.0.0}\n"
    made = maker()
    first = made(config(open_ + AUTO))
    assert made(config("auth: {enabled: false}")) is first
    assert made(config("server: {allow_unauthenticated: true}")) is first
    meant = maker()
    meant(config("server: {host: 0.0.0.0, allow_unauthenticated: true}\n" + AUTO))
    assert meant(config("{}")) is OPEN
