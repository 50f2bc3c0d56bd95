"""`capgate key`: keys for clients, of which gateway.yaml needs to know the digest alone."""

import hashlib
import secrets
import sys

import click
import msgspec

from gateway.auth.keys import HASHED, digest
from gateway.config.auth import ClientKey
from gateway.config.clients import RESERVED

PREFIX = "cg_"  # by which scanners for lost secrets, and people, know what it is
BYTES = 32


@click.group("key")
def command() -> None:
    """Make keys for clients."""


@command.command("new")
@click.argument("name")
def new(name: str) -> None:
    """Make up a key for the client NAME.

    The first line is for the client and stands nowhere else; the second goes below auth.api_keys
    in gateway.yaml.
    """
    key = PREFIX + secrets.token_urlsafe(BYTES)
    entry = {"name": name, "key": _hashed(key)}
    try:
        msgspec.convert(entry, ClientKey)
    except msgspec.ValidationError:
        raise click.BadParameter("at most 64 characters, no colon", param_hint="NAME") from None
    if name in RESERVED:
        raise click.BadParameter(f"{name} is taken: choose another name", param_hint="NAME")
    click.echo(key)
    click.echo(f"- {msgspec.json.encode(entry).decode()}")


@command.command("hash")
def hash_() -> None:
    """Read a key from standard input and print what stands for it in gateway.yaml."""
    key = sys.stdin.read().strip("\r\n")
    if not key:
        raise click.ClickException("there is no key on standard input")
    try:
        digest(key)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(_hashed(key))


def _hashed(key: str) -> str:
    return HASHED + hashlib.sha256(key.encode()).hexdigest()
