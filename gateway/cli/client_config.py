"""`capgate client-config`: what to paste into an MCP client to reach the gateway."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gateway.config import load
from gateway.config.issues import report
from gateway.config.load import NAME as NAME_OF_CONFIG
from gateway.config.model import Config
from gateway.credentials.secret import environment

NAME = "capgate"
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  nothing listens here


KEY = "CAPGATE_KEY"  # the variable that holds what a client shows
BY_HAND = "YOUR_KEY"  # where the client reads no variables
INPUT = "capgate-key"


@dataclass(frozen=True, slots=True)
class Client:
    """`place` is the file to edit; `http` makes its entry for a URL, None: only stdio works. `key`
    is how it writes the value of a variable.
    """

    place: str
    http: Callable[[str], dict[str, Any]] | None
    root: str = "mcpServers"
    key: str = f"${{env:{KEY}}}"


def _typed(url: str) -> dict[str, Any]:
    return {"type": "http", "url": url}


def _streamable(url: str) -> dict[str, Any]:
    return {"type": "streamableHttp", "url": url}


def _plain(url: str) -> dict[str, Any]:
    return {"url": url}


CLIENTS = {
    "claude": Client(".mcp.json (Claude Code, in the project)", _typed, key=f"${{{KEY}}}"),
    "claude-desktop": Client("claude_desktop_config.json", None),
    "cline": Client("cline_mcp_settings.json", _streamable, key=BY_HAND),
    "codex": Client("~/.codex/config.toml", _plain, "mcp_servers"),
    "cursor": Client("~/.cursor/mcp.json", _plain),
    "gemini": Client("~/.gemini/settings.json", lambda url: {"httpUrl": url}, key=f"${{{KEY}}}"),
    "vscode": Client(".vscode/mcp.json", _typed, "servers", f"${{input:{INPUT}}}"),
    "windsurf": Client("~/.codeium/windsurf/mcp_config.json", lambda url: {"serverUrl": url}),
    "zed": Client("settings.json", _plain, "context_servers", BY_HAND),
}


@click.command("client-config")
@click.argument("client", metavar="CLIENT", type=click.Choice(sorted(CLIENTS)))
@click.option("--url", help="Where the gateway listens; by default as gateway.yaml says.")
@click.option("--key/--no-key", default=None, help="Show a key; by default as auth.enabled says.")
@click.option("--stdio", is_flag=True, help="Let the client start `capgate serve --stdio` itself.")
@click.option("-c", "--config", type=click.Path(path_type=Path), help="gateway.yaml to go by.")
def command(
    client: str, url: str | None, config: Path | None, *, key: bool | None, stdio: bool
) -> None:
    """Print what connects an MCP client to this gateway.

    CLIENT is claude (Claude Code), claude-desktop, cline, codex, cursor, gemini, vscode, windsurf
    or zed. Where clients are asked for a key, it shows the one in the variable CAPGATE_KEY.
    """
    chosen = CLIENTS[client]
    if stdio or chosen.http is None:
        _print(client, chosen, _started(config))
        return
    if url is None or key is None:
        settings = _settings(config, needed=url is None)
        url = url or _url(settings)
        key = settings.auth.enabled if key is None else key
    server = chosen.http(url)
    if key:
        server |= _shown(client, chosen)
    _print(client, chosen, server, asks=key and client == "vscode")
    if key:
        click.echo(_where_the_key_goes(chosen), err=True)


def _print(client: str, chosen: Client, server: dict[str, Any], *, asks: bool = False) -> None:
    click.echo(f"put this into {chosen.place}:", err=True)
    if client == "codex":
        click.echo(_toml(chosen.root, server))
        return
    whole: dict[str, Any] = {chosen.root: {NAME: server}}
    if asks:
        asked = {"type": "promptString", "id": INPUT, "description": "Key", "password": True}
        whole = {"inputs": [asked], **whole}
    click.echo(json.dumps(whole, indent=2))


def _shown(client: str, chosen: Client) -> dict[str, Any]:
    if client == "codex":
        return {"bearer_token_env_var": KEY}
    return {"headers": {"Authorization": f"Bearer {chosen.key}"}}


def _where_the_key_goes(chosen: Client) -> str:
    if chosen.key == BY_HAND:
        return f"write the key in place of {BY_HAND}"
    if INPUT in chosen.key:
        return "it asks for the key once, and keeps it"
    return f"and the key into the variable {KEY}, where the client is started"


def _settings(config: Path | None, *, needed: bool) -> Config:
    """What the file says; where it is not `needed`, or there is none, the defaults will do."""
    environ = environment()
    found = load.load(load.locate(None if config is None else str(config), environ), environ)
    if found.config is None and needed:
        click.echo(report(found.issues), err=True)
        click.echo("\nwhere this is not to be mended, --url says where the gateway is", err=True)
        raise SystemExit(2)
    return found.config or Config()


def _url(settings: Config) -> str:
    """Where `capgate serve` would listen, seen from this machine."""
    host = ANY.get(settings.server.host, settings.server.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}/mcp"


def _started(config: Path | None) -> dict[str, Any]:
    """The stdio form: an absolute command, since clients start it from anywhere."""
    found = shutil.which(NAME) or str(Path(sys.argv[0]).resolve())
    return {"command": found, "args": ["serve", "--stdio", *_chosen(config)]}


def _chosen(config: Path | None) -> list[str]:
    """What `capgate serve` would take right here, by absolute paths."""
    here = Path(NAME_OF_CONFIG)
    if config is None and not here.exists():
        return ["--capabilities", str(Path("capabilities").resolve())]
    return ["-c", str((config or here).resolve())]


def _toml(root: str, server: dict[str, Any]) -> str:
    lines = [f"{key} = {json.dumps(value)}" for key, value in server.items()]
    return "\n".join([f"[{root}.{NAME}]", *lines])
