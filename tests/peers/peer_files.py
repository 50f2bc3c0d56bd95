"""Files of other gateways, served by this one; and the programs they name, made small.

The files are used as they are: what they start, `npx` and `uvx`, is found first on the path, and
is a small MCP server with the tools of the package that is asked for.
"""

import contextlib
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway import app
from gateway.cli.common import read_config
from gateway.runtime.waiting import settled
from tests.peers.named_mcp import FILE
from tests.peers.secured import Secured

FIXTURES = Path(__file__).parents[1] / "fixtures" / "peers"
TOOLS = {  # package → its tools
    "@anthropic/mcp-server-tavily": "tavily_search search_news read_page environment write_file",
    "@modelcontextprotocol/server-filesystem": "read_file write_file filesystem_list search_files",
    "@modelcontextprotocol/server-brave-search": "brave_web_search brave_local_search environment",
    "@playwright/mcp": "browser_click browser_type browser_close_all launch_browser",
    "notion": "notion_search",
    "laravel-boost": "get_config list_routes database_schema database_query tinker",
    "mcp-server-postgres": "query list_tables list_schemas drop_table delete_rows explain",
    "mcp-server-database": "database_read database_write database_delete query_rows write_row list",
}


def shims(folder: Path) -> Path:
    """A folder with `npx` and `uvx`."""
    folder.mkdir()
    cases = "\n".join(f'  "{package}") set -- {tools};;' for package, tools in TOOLS.items())
    script = (
        f'#!/bin/sh\n[ "$1" = -y ] && shift\ncase "$1" in\n{cases}\n  *) exit 64;;\nesac\n'
        f'exec "{sys.executable}" -I -S "{FILE}" "$@"\n'
    )
    for name in ("npx", "uvx"):
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own, with the programs on the path."""
    here = tmp_path / "here"
    here.mkdir()
    programs = shims(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(here)
    return here


def taken(world: Path, *parts: str, name: str | None = None) -> Path:
    """A file of the fixtures, copied into the working directory as it is."""
    source = FIXTURES.joinpath(*parts)
    target = world / (name or source.name)
    shutil.copyfile(source, target)
    return target


@contextlib.asynccontextmanager
async def served(file: Path | None = None, patience: float = 20.0) -> AsyncIterator[Secured]:
    """`capgate serve` there, in this process, at any free port."""
    said: dict[tuple[str, ...], Any] = {("server", "port"): 0, ("log", "level"): "error"}
    configured = read_config(None if file is None else str(file), said)
    async with (
        app.listening(configured) as (parts, port),
        aiohttp.ClientSession() as http,
    ):
        await settled(parts.current, patience)
        yield Secured(parts, port, file or Path("gateway.yaml"), http)
