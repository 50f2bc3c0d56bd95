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
from gateway.config.load import NAME as NAME_OF_CONFIG
from gateway.config.model import Config
from gateway.credentials.secret import environment

NAME = "capgate"
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  nothing listens here


@dataclass(frozen=True, slots=True)
class Client:
    """`place` is the file to edit; `http` makes its entry for a URL, None: only stdio works."""

    place: str
    http: Callable[[str], dict[str, Any]] | None
    root: str = "mcpServers"


def _typed(url: str) -> dict[str, Any]:
    return {"type": "http", "url": url}


CLIENTS = {
    "claude": Client(".mcp.json (Claude Code, in the project)", _typed),
    "claude-desktop": Client("claude_desktop_config.json", None),
    "cline": Client("cline_mcp_settings.json", lambda url: {"type": "streamableHttp", "url": url}),
    "codex": Client("~/.codex/config.toml", lambda url: {"url": url}, "mcp_servers"),
    "cursor": Client("~/.cursor/mcp.json", lambda url: {"url": url}),
    "gemini": Client("~/.gemini/settings.json", lambda url: {"httpUrl": url}),
    "vscode": Client(".vscode/mcp.json", _typed, "servers"),
    "windsurf": Client("~/.codeium/windsurf/mcp_config.json", lambda url: {"serverUrl": url}),
    "zed": Client("settings.json", lambda url: {"url": url}, "context_servers"),
}


@click.command("client-config")
@click.argument("client", metavar="CLIENT", type=click.Choice(sorted(CLIENTS)))
@click.option("--url", help="Where the gateway listens; by default as gateway.yaml says.")
@click.option("--stdio", is_flag=True, help="Let the client start `capgate serve --stdio` itself.")
@click.option("-c", "--config", type=click.Path(path_type=Path), help="gateway.yaml to go by.")
def command(client: str, url: str | None, config: Path | None, *, stdio: bool) -> None:
    """Print what connects an MCP client to this gateway.

    CLIENT is claude (Claude Code), claude-desktop, cline, codex, cursor, gemini, vscode, windsurf
    or zed.
    """
    chosen = CLIENTS[client]
    http = None if stdio else chosen.http
    server = http(url or _url(config)) if http else _started(config)
    click.echo(f"put this into {chosen.place}:", err=True)
    click.echo(_toml(chosen.root, server) if client == "codex" else _json(chosen.root, server))


def _url(config: Path | None) -> str:
    """Where `capgate serve` would listen, seen from this machine."""
    environ = environment()
    found = (
        load.load(load.locate(None if config is None else str(config), environ), environ).config
        or Config()
    )
    host = ANY.get(found.server.host, found.server.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{found.server.port}/mcp"


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


def _json(root: str, server: dict[str, Any]) -> str:
    return json.dumps({root: {NAME: server}}, indent=2)


def _toml(root: str, server: dict[str, Any]) -> str:
    lines = [f"{key} = {json.dumps(value)}" for key, value in server.items()]
    return "\n".join([f"[{root}.{NAME}]", *lines])
