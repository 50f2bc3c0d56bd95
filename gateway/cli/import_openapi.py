"""`capgate import openapi`: an OpenAPI document becomes capability files."""

import asyncio
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from gateway.capability.file import base_url as address
from gateway.cli.common import json_option
from gateway.cli.drafts import deliver, draft_options, name_option
from gateway.errors import GatewayError
from gateway.http.addresses import names_private
from gateway.http.message import HttpRequest
from gateway.http.outgoing import Outgoing
from gateway.importers.base import ImportFailed
from gateway.importers.openapi import Options, Source, import_openapi
from gateway.importers.openapi.reading import MAX_BYTES

SECONDS = 60.0
OK = 200
ACCEPT = "application/json, application/yaml, */*;q=0.5"


@click.command("openapi")
@click.argument("spec", metavar="SPEC")
@click.option("--tag", "tags", metavar="GLOB", multiple=True, help="Only operations so tagged.")
@click.option("--path", "paths", metavar="GLOB", multiple=True, help="Only paths like /pets/*.")
@click.option(
    "--operation", "operations", metavar="GLOB", multiple=True, help="Only such operationIds."
)
@click.option(
    "--split",
    type=click.Choice(["api", "tag"]),
    default="api",
    show_default=True,
    help="One file for the API, or for each tag.",
)
@name_option
@click.option("--base-url", metavar="URL", help="In place of the document's servers.")
@draft_options
@json_option
def command(spec: str, output: str, *, force: bool, as_json: bool, **chosen: Any) -> None:
    """Make capability files of an OpenAPI document, for review.

    SPEC is a file of OpenAPI 2.0, 3.0 or 3.1 in JSON or YAML, a URL, or - for standard input. The
    options that choose may be repeated. What cannot be expressed is left out and told.

    Exit code 0: something was imported, 1: nothing was, 2: SPEC or the command line is wrong.
    """
    chosen["base_url"] = _base_url(chosen["base_url"])
    try:
        imported = import_openapi(_source(spec), Options(**chosen))
    except ImportFailed as error:
        raise click.UsageError(str(error)) from None
    deliver(imported, output, force=force, as_json=as_json)


def _base_url(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        return address.literal(given)
    except address.Refused as error:
        hint = f"; {error.hint}" if error.hint else ""
        raise click.BadParameter(f"{error}{hint}", param_hint="--base-url") from None


def _source(spec: str) -> Source:
    if spec == "-":
        return Source(sys.stdin.buffer.read(MAX_BYTES + 1), "standard input")
    if spec.startswith(("http://", "https://")):
        name = urlsplit(spec).path.rpartition("/")[2] or "the document"
        return Source(asyncio.run(_fetched(spec)), name, url=spec)
    path = Path(spec)
    try:
        with path.open("rb") as file:
            return Source(file.read(MAX_BYTES + 1), path.name, path.parent)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise click.UsageError(f"{spec}: {reason.lower()}") from None


async def _fetched(url: str) -> bytes:
    """Whoever typed the URL may mean a private address by it; a redirect may not."""
    outgoing = Outgoing()
    host = urlsplit(url).hostname or ""
    request = HttpRequest("GET", url, (("Accept", ACCEPT),), route="GET the document")
    try:
        response = await outgoing.send(
            request, seconds=SECONDS, cap=MAX_BYTES, private=names_private(host)
        )
    except GatewayError as error:
        raise click.UsageError(f"the document cannot be fetched: {error}") from None
    finally:
        await outgoing.aclose()
    if response.status != OK:
        raise click.UsageError(f"the document cannot be fetched: HTTP {response.status}")
    return response.body
