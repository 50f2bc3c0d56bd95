"""`capgate new`: a first capability file that works as it is and shows where to go on."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import click

from gateway.capability.model import BACKEND_NAME
from gateway.config.schema import render

TEMPLATE = """\
# yaml-language-server: $schema=../schemas/capability.schema.json
capability: 1
name: {name}
description: What this API offers, in one line
base_url: {base_url}

# secrets: {{token: env:{variable}_TOKEN}}        # never the key itself
# auth: {{bearer: "{{{{ secrets.token }}}}"}}

tools:
  get_item:
    description: One item by its id.
    args:
      id:     {{type: string, required: true, description: Such as 42}}
      fields: {{type: array, items: {{type: string}}, description: Only these}}
    get: /items/{{{{ args.id }}}}
    query:
      fields: "{{{{ args.fields | join(',') }}}}"     # not given: not sent
    cache: 1m
    response:
      map: {{id: $.id, title: $.title}}
    errors:
      - {{status: 404, message: "No item {{{{ args.id }}}}."}}
    examples:
      - args: {{id: "42", fields: [id, title]}}
        request: {{url: "{base_url}/items/42?fields=id%2Ctitle"}}
        reply: {{json: {{id: "42", title: Answer, more: left out}}}}
        result: {{id: "42", title: Answer}}
"""


@click.command("new")
@click.argument("name")
@click.option("--base-url", default="https://api.example.com", help="Origin and prefix of the API.")
@click.option(
    "--directory",
    default="capabilities",
    type=click.Path(file_okay=False, path_type=Path),
    show_default=True,
)
def command(name: str, base_url: str, directory: Path) -> None:
    """Write DIRECTORY/NAME.yaml, a small capability file to start from."""
    if not re.fullmatch(BACKEND_NAME, name):
        raise click.BadParameter(f"{name!r} must match {BACKEND_NAME}", param_hint="NAME")
    if urlsplit(base_url).scheme not in {"http", "https"}:
        raise click.BadParameter(f"{base_url!r} must start with https://", param_hint="--base-url")
    path = directory / f"{name}.yaml"
    text = TEMPLATE.format(name=name, base_url=base_url.rstrip("/"), variable=name.upper())
    _write_new(path, text)
    _write_schema(directory.parent / "schemas" / "capability.schema.json")
    click.echo(f"wrote {path}; next: edit it, then capgate validate {path}")


def _write_new(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.ClickException(f"{path} is there already; it was left alone") from None


def _write_schema(path: Path) -> None:
    """The schema that the file's first line names, for editors; an existing one is left alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render("capability"), encoding="utf-8")
