"""Which servers are the gateway itself."""

import pytest

from gateway.config.backends import Backend
from gateway.config.model import Server
from gateway.config.ourselves import is_ourselves


@pytest.mark.parametrize(
    ("url", "host", "expected"),
    [
        ("http://127.0.0.1:39400/mcp", "127.0.0.1", True),
        ("http://localhost:39400/mcp/time", "127.0.0.1", True),
        ("http://localhost:39400/mcp", "gateway.lan", True),
        ("http://gateway.lan:39400/mcp", "gateway.lan", True),
        ("http://gateway.lan:39400/mcp", "127.0.0.1", False),
        ("http://127.0.0.1:39400/other", "127.0.0.1", False),
        ("http://127.0.0.1:39401/mcp", "127.0.0.1", False),
        ("http://127.0.0.1/mcp", "127.0.0.1", False),
    ],
)
def test_a_url_where_we_listen_is_ours(url: str, host: str, expected: object) -> None:
    assert is_ourselves(Backend(http_url=url), Server(host=host), "gateway.yaml") is expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("capgate serve --stdio", True),
        ("/opt/bin/capgate serve --stdio --capabilities /srv", True),
        ("uv run capgate serve --stdio -c ./gateway.yaml", True),
        ("python -m gateway serve --stdio --config=gateway.yaml", True),
        ("capgate serve --stdio -c other.yaml", False),
        ("capgate serve --port 4000", False),
        ("gateway serve --stdio", False),
        ("npx -y server", False),
    ],
)
def test_a_program_that_would_read_our_own_file_is_ours(command: str, expected: object) -> None:
    assert is_ourselves(Backend(command=command), Server(), "gateway.yaml") is expected


def test_a_gateway_in_another_folder_or_told_of_another_file_is_not_ours() -> None:
    command = "capgate serve --stdio"
    elsewhere = Backend(command=command, cwd="/srv/other")
    told = Backend(command=command, env={"MCP_GATEWAY_CONFIG": "other.yaml"})
    assert not is_ourselves(elsewhere, Server(), "gateway.yaml")
    assert not is_ourselves(told, Server(), "gateway.yaml")
    assert is_ourselves(elsewhere, Server(), "/srv/other/gateway.yaml")


def test_a_gateway_that_its_environment_has_speak_over_stdio_is_ours() -> None:
    env = {"GATEWAY_TRANSPORT": "stdio"}
    assert is_ourselves(Backend(command="capgate serve", env=env), Server(), "gateway.yaml")
    assert not is_ourselves(Backend(command="capgate serve"), Server(), "gateway.yaml")
