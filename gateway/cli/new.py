"""`capgate new`: a first capability file that works as it is and shows where to go on."""

import os
import re
from pathlib import Path

import click

from gateway.capability.file import base_url as address
from gateway.capability.file.model import BACKEND_NAME
from gateway.config.schema import render

TEMPLATE = """\
# yaml-language-server: $schema={schema}
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
    """Write a small capability file to start from.

    It is DIRECTORY/NAME.yaml, and works as it is.
    """
    if not re.fullmatch(BACKEND_NAME, name):
        raise click.BadParameter(_better(name), param_hint="NAME")
    try:
        url = address.literal(base_url)
    except address.Refused as error:
        hint = f"; {error.hint}" if error.hint else ""
        raise click.BadParameter(f"{error}{hint}", param_hint="--base-url") from None
    path = directory / f"{name}.yaml"
    beside = directory if directory.resolve() == Path.cwd() else directory.parent
    schema = beside / "schemas" / "capability.schema.json"
    named = Path(os.path.relpath(schema, directory)).as_posix()
    text = TEMPLATE.format(name=name, base_url=url, variable=name.upper(), schema=named)
    _write_new(path, text)
    _write_schema(schema)
    click.echo(f"wrote {path}; next: edit it, then capgate validate {path}")


def _better(name: str) -> str:
    """Why it is no name, and the nearest that is one."""
    rule = "a-z, 0-9 and '_', a letter first, at most 32 characters"
    near = re.sub(r"\W+", "_", name.lower(), flags=re.ASCII).strip("_")[:32]
    good = re.fullmatch(BACKEND_NAME, near)
    return f"{name!r} is no backend name ({rule})" + (f"; try {near}" if good else "")


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
        click.echo(f"wrote {path}, which the file's first line names for editors")
