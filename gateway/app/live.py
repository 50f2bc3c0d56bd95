"""One call of a capability file's tool to the real API, with all that it sent and got.

It goes the road that every call goes, over a snapshot of that file alone.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from gateway.app.building import Builders
from gateway.capability.examples.tape import Tape, taped
from gateway.capability.load import Loaded
from gateway.config.folder import look, read
from gateway.config.model import Capabilities
from gateway.credentials.redact import Redactor
from gateway.domain.call import Outcome
from gateway.domain.events import Event
from gateway.domain.identity import OPERATOR
from gateway.domain.issue import Issue, Severity
from gateway.domain.tool import JsonObject
from gateway.errors import DeadlineExceeded, GatewayError
from gateway.importers import compat
from gateway.runtime.plan import Desired, Wanted
from gateway.runtime.reconcile import Reconciler
from gateway.runtime.snapshot import Current
from gateway.runtime.view import View


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a live call: its outcome or error, and its exchanges."""

    tape: Tape
    outcome: Outcome | None = None
    error: GatewayError | None = None


class Live:
    """Capability files of these folders, loaded once, with the environment's own secrets."""

    def __init__(self, settings: Capabilities, environ: Mapping[str, str]) -> None:
        self.redactor = Redactor()
        self._settings = settings
        self._environ = environ

    def load(self, data: bytes, file: str) -> Loaded:
        return compat.load(
            data, file, self._settings, environ=self._environ, redactor=self.redactor
        )

    def files(self, paths: tuple[str, ...]) -> dict[str, Loaded]:
        """Each file's path on the disk → what it loads to."""
        found: dict[str, Loaded] = {}
        for entry in look(paths).entries.values():
            data = read(entry)
            if isinstance(data, bytes):
                found[entry.real] = self.load(data, entry.file)
        return found

    def call(self, loaded: Loaded, tool: str, args: JsonObject, seconds: float | None) -> Finding:
        """Raises ToolNotFound; any other error is what was found."""
        return asyncio.run(self._call(loaded, tool, args, seconds))

    async def _call(
        self, loaded: Loaded, tool: str, args: JsonObject, seconds: float | None
    ) -> Finding:
        compiled = loaded.capability
        if compiled is None:
            raise ValueError("a file that is refused has no tools")
        watched, tape = taped(compiled.find(tool))
        tools = MappingProxyType({**compiled.tools, tool: watched})
        builders = Builders(self.redactor, self._environ)
        build = partial(builders.rest, replace(compiled, tools=tools), self._settings)
        current = Current()
        reconciler = Reconciler(current, _untold)
        try:
            await reconciler.apply(Desired({compiled.name: Wanted(compiled.name, tool, build)}))
            view = View(current.get(), _untold, OPERATOR)
            async with asyncio.timeout(seconds):
                return Finding(tape, await view.call(watched.tool.ref, args, seconds))
        except GatewayError as error:
            return Finding(tape, error=error)
        except TimeoutError:
            return Finding(tape, error=DeadlineExceeded(f"no result within {seconds:g} s"))
        finally:
            await reconciler.aclose(grace=0)
            await builders.aclose()


def _untold(_: Event) -> None:
    """Nobody keeps count of these calls."""


def broken(issues: tuple[Issue, ...]) -> str:
    """Why a file has no tools, in one line."""
    errors = [issue for issue in issues if issue.severity is Severity.ERROR]
    return f"{errors[0].where}: {errors[0].message}" if errors else "it is switched off"
