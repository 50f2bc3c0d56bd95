"""`capgate import postman`: a Postman collection becomes capability files."""

from pathlib import Path

import click

from gateway.cli.common import json_option
from gateway.cli.drafts import deliver, draft_options, name_option
from gateway.importers.base import ImportFailed
from gateway.importers.postman.importing import import_postman

LARGEST = 50 << 20  # bytes of a collection


@click.command("postman")
@click.argument(
    "collection",
    metavar="COLLECTION",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@name_option
@draft_options
@json_option
def command(collection: Path, name: str | None, output: str, *, force: bool, as_json: bool) -> None:
    """Make capability files of a Postman collection (v2.0 or v2.1), for review.

    One file for each base URL and credential. Credentials are not copied: they become secrets,
    whose variables are told. What cannot be expressed is left out and told.

    Exit code 0: something was imported, 1: nothing was, 2: COLLECTION is none.
    """
    with collection.open("rb") as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise click.UsageError(f"{collection} is larger than {LARGEST >> 20} MiB")
    try:
        imported = import_postman(data, collection.name, name)
    except ImportFailed as error:
        raise click.UsageError(str(error)) from None
    deliver(imported, output, force=force, as_json=as_json)
