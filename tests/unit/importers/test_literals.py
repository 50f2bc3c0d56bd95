"""Credentials that somebody wrote out are found, and what is none stays as it is."""

from gateway.importers.literals import Variables, variable


def test_one_value_is_asked_for_once_and_another_under_another_name():
    variables = Variables()
    assert variables.in_pair("API_KEY", "one", "shop") == "${API_KEY}"
    assert variables.in_pair("API_KEY", "one", "bank") == "${API_KEY}"
    assert variables.in_pair("API_KEY", "two", "bank") == "${BANK_API_KEY}"
    assert variables.in_pair("API_KEY", "three", "bank") == "${API_KEY_2}"
    assert variables.asked == ("API_KEY", "BANK_API_KEY", "API_KEY_2")


def test_a_scheme_in_a_header_stays():
    variables = Variables()
    assert variables.in_header("Authorization", "Bearer abc", "shop") == "Bearer ${SHOP_TOKEN}"
    assert variables.in_header("X-Api-Key", "abc", "shop") == "${SHOP_X_API_KEY}"
    assert variables.in_header("X-Org", "acme", "shop") == "acme"
    assert variables.in_header("Authorization", "Bearer ${T}", "shop") == "Bearer ${T}"


def test_credentials_among_arguments_are_found():
    variables = Variables()
    given = [
        *("-y", "shop-mcp@1.2.3", "--token", "abc", "--api-key=def", "--region", "eu"),
        *("-e", "TOKEN=xyz", "--header", "Authorization: Bearer q", "https://h/mcp?key=k1&a=b"),
    ]
    assert variables.in_arguments(given, "shop") == [
        *("-y", "shop-mcp@1.2.3", "--token", "${SHOP_TOKEN}", "--api-key=${SHOP_API_KEY}"),
        *("--region", "eu", "-e", "TOKEN=${TOKEN}", "--header"),
        *("Authorization: Bearer ${SHOP_TOKEN_2}", "https://h/mcp?key=${SHOP_KEY}&a=b"),
    ]


def test_a_password_in_the_url_of_a_variable_among_arguments_is_found():
    given = ["run", "-e", "DATABASE_URL=postgres://u:hunter22@db/x", "-e", "HOME_URL=https://h/x"]
    assert Variables().in_arguments(given, "pg") == [
        *("run", "-e", "DATABASE_URL=${DATABASE_URL}", "-e", "HOME_URL=https://h/x"),
    ]


def test_credentials_among_arguments_are_found_however_they_are_written():
    variables = Variables()
    given = [
        *("--connection-string", "Server=x;Password=abc;", "-H", "X-Api-Key:abc"),
        *("--env=MY_SECRET=abc", "--header=Cookie: a=b", '{"password": "abc"}', "-p", "8080:80"),
    ]
    made = variables.in_arguments(given, "shop")
    assert made == [
        *("--connection-string", "${SHOP_CONNECTION_STRING}", "-H", "X-Api-Key:${SHOP_X_API_KEY}"),
        *("--env=MY_SECRET=${MY_SECRET}", "--header=Cookie: ${SHOP_COOKIE}", "${SHOP}"),
        *("-p", "8080:80"),
    ]


def test_credentials_in_a_url_are_found():
    variables = Variables()
    token = "0123456789abcdef0123456789abcdef"
    assert (
        variables.in_url(f"https://h/s/{token}/mcp", "shop") == "https://h/s/${SHOP_URL_TOKEN}/mcp"
    )
    assert variables.in_url("https://h/mcp?api_key=a%2Fb&x=1", "shop") == (
        "https://h/mcp?api_key=${SHOP_API_KEY}&x=1"
    )
    assert variables.in_url("https://u:pw@h/mcp", "shop") == "${SHOP_URL}"
    assert variables.in_url("https://h/mcp", "shop") == "https://h/mcp"


def test_any_text_becomes_a_variable_name():
    assert variable("my shop-key") == "MY_SHOP_KEY"
    assert variable("2fa") == "_2FA"
    assert variable("ü") == "SECRET"
