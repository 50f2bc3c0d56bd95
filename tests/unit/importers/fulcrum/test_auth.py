"""How a fulcrum file proves who it is, in our words. No credential is ever copied or shown."""

from typing import Any

import pytest

from gateway.importers.fulcrum.converting import Converted, convert

HEAD = "fulcrum: '1.0'\nname: shop\ndescription: Buys things.\n"


def converted(auth: str, config: str = "") -> Converted:
    text = (
        f"{HEAD}auth: {auth}\nproviders:\n  primary:\n    config:\n"
        f"      base_url: https://shop.example\n      path: /x\n{config}"
    )
    return convert(text.encode(), "shop.yaml")


def tree(auth: str, config: str = "") -> dict[str, Any]:
    found = converted(auth, config)
    assert found.tree is not None, found.issues
    return found.tree


S = "{{ secrets.shop_key }}"


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ("{required: true, type: bearer, key: 'env:SHOP_KEY'}", {"bearer": S}),
        ("{required: true, key: 'env:SHOP_KEY'}", {"bearer": S}),
        ("{required: true, key: '{env.SHOP_KEY}'}", {"bearer": S}),
        ("{required: true, key: SHOP_KEY}", {"bearer": S}),
        ("{required: true, type: api_key, key: SHOP_KEY}", {"header": {"Authorization": S}}),
        (
            "{required: true, type: api_key, key: SHOP_KEY, header: X-Api-Key}",
            {"header": {"X-Api-Key": S}},
        ),
        (
            "{required: true, type: api_key, key: SHOP_KEY, header: Authorization, prefix: Token}",
            {"header": {"Authorization": f"Token {S}"}},
        ),
        (
            "{required: true, type: basic, key: SHOP_KEY}",
            {"header": {"Authorization": f"Basic {S}"}},
        ),
        ("{required: true, type: api_key, key: SHOP_KEY, param: key}", {"query": {"key": S}}),
    ],
)
def test_a_key_is_shown_as_the_file_says(auth: str, expected: dict[str, Any]):
    found = tree(auth)
    assert found["auth"] == expected
    assert found["secrets"] == {"shop_key": "env:SHOP_KEY"}


def test_nothing_is_shown_where_it_is_not_required():
    found = tree("{required: false, key: 'env:SHOP_KEY'}")
    assert "auth" not in found
    assert "secrets" not in found


def test_a_credential_in_a_header_becomes_auth():
    header = "      headers: {Authorization: 'Bearer {env.SHOP_KEY}', X-A: b}\n"
    found = tree("{required: false}", header)
    assert found["auth"] == {"bearer": S}
    assert found["tools"]["shop"]["headers"] == {"X-A": "b"}


def test_what_auth_sends_is_sent_once():
    header = "      headers: {authorization: 'Bearer {env.OTHER}'}\n"
    found = tree("{required: true, key: 'env:SHOP_KEY'}", header)
    assert found["auth"] == {"bearer": S}
    assert "headers" not in found["tools"]["shop"]
    assert found["secrets"] == {"shop_key": "env:SHOP_KEY"}
    params = "      params: {key: '{env.SHOP_KEY}', q: x}\n"
    found = tree("{required: true, type: api_key, key: SHOP_KEY, param: key}", params)
    assert found["tools"]["shop"]["query"] == {"q": "x"}


def test_a_key_that_a_parameter_names_goes_there_and_nowhere_else():
    params = "      params: {key: '{env.SHOP_KEY}'}\n"
    found = converted("{required: true, type: api_key, key: SHOP_KEY}", params)
    assert found.tree is not None
    assert found.tree["auth"] == {"query": {"key": S}}
    assert [issue.line for issue in found.issues] == [4]


def test_tokens_of_a_person_become_a_refresh_token_in_variables():
    auth = (
        "{required: true, type: oauth, key: 'oauth:my shop', token_endpoint: 'https://a.example/t'}"
    )
    header = "      headers: {Authorization: 'Bearer {access_token}'}\n"
    found = converted(auth, header)
    assert found.tree is not None
    assert found.tree["auth"] == {
        "oauth2": {
            "grant": "refresh_token",
            "token_url": "https://a.example/t",
            "client_id": "{{ secrets.my_shop_client_id }}",
            "client_secret": "{{ secrets.my_shop_client_secret }}",
            "refresh_token": "{{ secrets.my_shop_refresh_token }}",
        }
    }
    assert found.tree["secrets"]["my_shop_refresh_token"] == "env:MY_SHOP_REFRESH_TOKEN"
    assert "headers" not in found.tree["tools"]["shop"]
    (note,) = found.issues
    assert "MY_SHOP_CLIENT_ID, MY_SHOP_CLIENT_SECRET, MY_SHOP_REFRESH_TOKEN" in note.message


def test_without_a_token_endpoint_the_operator_renews_the_token():
    found = converted("{required: true, type: oauth, key: 'oauth:shop'}")
    assert found.tree is not None
    assert found.tree["auth"] == {"bearer": "{{ secrets.shop_access_token }}"}
    assert "SHOP_ACCESS_TOKEN" in found.issues[0].message


@pytest.mark.parametrize(
    ("key", "variable"),
    [
        ("keychain:my-key", "MY_KEY"),
        ("file:~/.config/tokens.json:access_token", "TOKENS_ACCESS_TOKEN"),
    ],
)
def test_other_stores_become_a_variable_and_a_note(key: str, variable: str):
    found = converted(f"{{required: true, key: '{key}'}}")
    assert found.tree is not None
    assert list(found.tree["secrets"].values()) == [f"env:{variable}"]
    assert f"the variable {variable}" in found.issues[0].message


def test_a_credential_itself_refuses_the_file_unseen():
    found = converted("{required: true, key: sk-live-0123456789abcdef}")
    (issue,) = found.issues
    assert found.tree is None
    assert issue.line == 4
    assert "perhaps the credential itself" in issue.message
    assert "sk-live" not in str(issue)


def test_required_without_a_key_is_told_of():
    found = converted("{required: true}")
    assert found.tree is not None
    assert [issue.message for issue in found.issues] == [
        "auth is required, but no key: nothing is shown"
    ]


def test_secrets_of_one_name_are_kept_apart():
    header = "      headers: {A: '{env.KEY} x', B: '{env.key} y'}\n"
    found = tree("{}", header)
    assert found["secrets"] == {"key": "env:KEY", "key_2": "env:key"}
    assert found["auth"] == {"header": {"A": "{{ secrets.key }} x", "B": "{{ secrets.key_2 }} y"}}
