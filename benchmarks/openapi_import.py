"""How good `capgate import openapi` is: forty real documents, judged by prism, a third party.

    python -m benchmarks.openapi_import [--only NAME]... [--calls 1000] [--write PAGE] [--json FILE]

Each document is imported, loaded and served by a gateway of its own. Every tool is called with
arguments made from its inputSchema alone, by way of a recorder, against `prism mock` of the same
document; then its path arguments get hostile values. Prism, the documents and a Node that is new
enough are installed into .conformance. Nothing but this machine is asked.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks import openapi_large
from benchmarks.openapi_arguments import Unsatisfied, everything, required_only
from benchmarks.openapi_blame import blamed
from benchmarks.openapi_calls import Called, Client, spread
from benchmarks.openapi_documents import DOCUMENTS, Document, for_prism, installed, read
from benchmarks.openapi_imported import Result, imported
from benchmarks.openapi_paths import attacks, route
from benchmarks.openapi_prism import Recorder, mocking, recording
from benchmarks.openapi_report import Row, report, write
from benchmarks.process import gateway
from gateway.importers.base import ImportFailed

WAYS = (required_only, everything)


class Bench:
    """`calls`: of how many tools of one document, evenly spread, each is called."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self.prism, self.modules = installed()
        self.failed: list[dict[str, Any]] = []

    async def measure(self, name: str) -> Row:
        document = read(self.modules, name)
        row = Row(document.name, document.version, len(document.operations()))
        with tempfile.TemporaryDirectory() as folder:
            async with recording() as (recorder, port):
                try:
                    result = imported(document, Path(folder, "files"), port)
                except ImportFailed as error:
                    row.failed = str(error)
                    return row
                row.result = result
                await self._serve(document, result, Path(folder), recorder, row)
        return row

    async def _serve(
        self, document: Document, result: Result, folder: Path, recorder: Recorder, row: Row
    ) -> None:
        async with AsyncExitStack() as stack:
            at = stack.enter_context(
                gateway(folder / "files", "--log-level", "error", environ=result.environ)
            )
            session = await stack.enter_async_context(aiohttp.ClientSession())
            client = Client(session, at[0], recorder)
            tools = [tool async for tool in _tools(client, result)]
            chosen = spread(tools, self._calls)
            row.called = len(chosen)
            for backend, tool in chosen:
                await self._attack(client, result, backend, tool, row)
            given = for_prism(document, folder)
            recorder.behind = await stack.enter_async_context(
                mocking(self.prism, given, folder / "prism.log")
            )
            for backend, tool in chosen:
                await self._call(client, document, backend, tool, row)

    async def _call(
        self, client: Client, document: Document, backend: str, tool: dict[str, Any], row: Row
    ) -> None:
        done: list[Mapping[str, Any]] = []
        for way in WAYS:
            try:
                arguments = way(tool["inputSchema"])
            except Unsatisfied as error:
                row.unmade += 1
                self._keep(row, tool["name"], {}, "unmade", str(error))
                continue
            if arguments in done:
                continue
            done.append(arguments)
            called = await client.call(backend, tool["name"], arguments)
            verdict = blamed(called, document)
            row.note(called, verdict)
            if verdict or called.structured is False:
                kind = f"{verdict.whose}: {verdict.why}" if verdict else "no structure"
                self._keep(row, tool["name"], arguments, kind, called)

    async def _attack(
        self, client: Client, result: Result, backend: str, tool: dict[str, Any], row: Row
    ) -> None:
        way = route(result.files[backend]["tools"][tool["name"]])
        if way is None or not way.arguments:
            return
        try:
            plain = required_only(tool["inputSchema"])
        except Unsatisfied:
            return
        before = await client.call(backend, tool["name"], plain)
        for arguments in attacks(way, plain):
            called = await client.call(backend, tool["name"], arguments)
            row.hostile += 1
            if not way.keeps(called, before):
                row.escaped += 1
                self._keep(row, tool["name"], arguments, "escaped", called)

    def _keep(
        self, row: Row, tool: str, arguments: Mapping[str, Any], kind: str, why: Called | str
    ) -> None:
        kept: dict[str, Any] = {"document": row.name, "tool": tool, "kind": kind}
        kept["arguments"] = arguments
        if isinstance(why, str):
            kept["text"] = why
        else:
            kept |= {"fate": str(why.fate), "text": why.text, "structured": why.structured}
            kept["exchange"] = asdict(why.exchange) if why.exchange else None
        self.failed.append(kept)


async def _tools(client: Client, result: Result) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    for backend in result.files:
        for tool in await client.tools(backend):
            yield backend, tool


async def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--only", action="append", choices=DOCUMENTS, default=[])
    options.add_argument("--calls", type=int, default=1000, help="tools to call of one document")
    options.add_argument("--write", type=Path, help="a page of docs/ to write the table into")
    options.add_argument("--json", type=Path, help="where to put every call that went wrong")
    given = options.parse_args()
    bench = Bench(given.calls)
    rows = []
    for name in given.only or DOCUMENTS:
        row = await bench.measure(name)
        print(row.line(), flush=True)
        rows.append(row)
    text = report(rows, openapi_large.measured())
    print(text)
    if given.write:
        write(given.write, text)
    if given.json:
        given.json.write_text(json.dumps(bench.failed, indent=1, default=_readable))


def _readable(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    asyncio.run(main())
