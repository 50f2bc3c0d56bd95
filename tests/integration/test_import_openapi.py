"""`capgate import openapi` as a person uses it."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.importers.openapi import Source, import_openapi
from tests.peers.web import serving

SPEC = """\
openapi: 3.0.3
info: {title: Pets, version: "1"}
servers: [{url: /v1}]
paths:
  /pets: {get: {operationId: listPets, tags: [pets], responses: {}}, trace: {}}
  /users: {get: {operationId: listUsers, responses: {}}}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Iterator[Path]:
    """A document in the working directory, which is the test's own."""
    (tmp_path / "api.yaml").write_text(SPEC)
    with contextlib.chdir(tmp_path):
        yield tmp_path / "api.yaml"


def run(*words: str | Path, stdin: str | None = None) -> Result:
    arguments = ["import", "openapi", *map(str, words)]
    return CliRunner().invoke(cli, arguments, input=stdin)


def test_files_go_into_a_folder_for_review_and_validate(spec: Path) -> None:
    result = run(spec)
    assert result.exit_code == 0
    assert "list_pets" in result.output
    assert "left out: TRACE /pets: a tool cannot send TRACE" in result.output
    assert "2 tools, about" in result.output
    assert CliRunner().invoke(cli, ["validate", "imported"]).exit_code == 0


def test_what_is_there_stays_unless_forced(spec: Path) -> None:
    assert run(spec).exit_code == 0
    Path("imported/pets.yaml").write_text("mine")
    refused = run(spec)
    assert refused.exit_code == 1
    assert Path("imported/pets.yaml").read_text() == "mine"
    assert run(spec, "--force").exit_code == 0
    assert Path("imported/pets.yaml").read_text() != "mine"


@pytest.mark.parametrize("folder", ["capabilities", "capabilities/pets"])
def test_a_folder_that_is_served_is_refused(spec: Path, folder: str) -> None:
    refused = run(spec, "-o", folder)
    assert refused.exit_code == 2
    assert "served" in refused.output
    assert not Path(folder).exists()
    assert run(spec, "-o", folder, "--force").exit_code == 0


@pytest.mark.usefixtures("spec")
def test_a_dash_prints_the_file_and_tells_the_rest_elsewhere() -> None:
    result = run("-", "-o", "-", "--path", "/pets", stdin=SPEC)
    assert result.stdout.startswith("# yaml-language-server:")
    assert "list_users" not in result.stdout
    assert "1 tool, about" in result.stderr
    assert not Path("imported").exists()


def test_the_report_in_json_has_tools_tokens_and_what_was_left_out(spec: Path) -> None:
    found = json.loads(run(spec, "--json", "--name", "zoo").stdout)
    (file,) = found["files"]
    assert file["file"] == str(Path("imported", "zoo.yaml"))
    assert [tool["name"] for tool in file["tools"]] == ["list_pets", "list_users"]
    assert all(tool["tokens"] > 10 for tool in file["tools"])
    assert found["skipped"] == [{"where": "TRACE /pets", "text": "a tool cannot send TRACE"}]


@pytest.mark.parametrize(
    "words",
    [
        ["missing.yaml"],
        ["."],
        ["api.yaml", "--name", "No Name"],
        ["api.yaml", "--base-url", "https://{x}.example"],
        ["http://127.0.0.1:9/x.yaml"],
    ],
)
@pytest.mark.usefixtures("spec")
def test_a_wrong_command_line_ends_with_2(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "Error:" in result.output


def test_nothing_imported_ends_with_1(spec: Path) -> None:
    result = run(spec, "--tag", "none")
    assert result.exit_code == 1
    assert not Path("imported").exists()


async def test_a_document_is_fetched_and_its_servers_are_relative_to_it() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=SPEC, status=200 if request.path.endswith(".yaml") else 404)

    async with serving(answer) as port:
        url = f"http://127.0.0.1:{port}/docs/api.yaml"
        result = await asyncio.to_thread(run, url, "-o", "-")
        missing = await asyncio.to_thread(run, f"{url}l", "-o", "-")
    assert result.exit_code == 0
    assert f"base_url: http://127.0.0.1:{port}/v1\n" in result.stdout.replace('"', "")
    assert missing.exit_code == 2
    assert "HTTP 404" in missing.output


def test_a_thousand_operations_take_seconds() -> None:
    members = {f"m{n}": {"type": "string", "description": f"Member {n}"} for n in range(10)}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/M"}}}}
    paths = {
        f"/things{n}/{{id}}": {"post": {"operationId": f"make{n}", "requestBody": body}}
        for n in range(1000)
    }
    whole = {
        "openapi": "3.0.0",
        "paths": paths,
        "components": {"schemas": {"M": {"type": "object", "properties": members}}},
    }
    started = time.process_time()
    found = import_openapi(Source(json.dumps(whole).encode(), "large.json"))
    assert time.process_time() - started < 5
    assert sum(len(draft.tools) for draft in found.drafts) == 1000
