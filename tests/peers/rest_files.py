"""Capability files as backends with everything real behind them: open one, call a tool, close."""

import asyncio
import contextlib

from gateway.backends.cache import Cache
from gateway.backends.rest import RestBackend
from gateway.capability.load import load
from gateway.credentials.means import Shared
from gateway.credentials.redact import Redactor
from gateway.domain.call import Call
from gateway.domain.client import Context
from gateway.domain.identity import Identity
from gateway.domain.tool import Tool, ToolRef
from gateway.http.outgoing import Outgoing


class Desk(contextlib.AsyncExitStack):
    """`clock` is that of `file:` secrets, `folder` where state is kept. Everything opened here is
    closed with it.
    """

    def __init__(self, outgoing=None, shared=None, redactor=None, folder=None):
        super().__init__()
        self.redactor = redactor or Redactor()
        self.outgoing = outgoing or Outgoing()
        self.shared = shared or Shared(self.outgoing, _state(folder), self.redactor)
        self.clock = [0.0]
        self.push_async_callback(self.outgoing.aclose)

    async def open(self, text, environ=None, *, file="api.yaml", allow_private=False):
        """A started backend of the file `text`, which must be faultless."""
        loaded = load(
            text.encode(),
            file,
            environ=environ or {},
            redactor=self.redactor,
            clock=lambda: self.clock[0],
        )
        assert loaded.capability is not None, [str(issue) for issue in loaded.issues]
        backend = RestBackend(
            loaded.capability,
            self.outgoing,
            Cache(),
            allow_private=allow_private,
            credentials=self.shared,
        )
        await backend.start(lambda: None, lambda _: None)
        self.push_async_callback(backend.aclose)
        return backend

    async def call(self, backend, tool, arguments=None, *, headers=None, caller="me"):
        deadline = asyncio.get_running_loop().time() + 10
        ref = ToolRef(backend.listing.name, tool)
        context = Context(headers=headers or {})
        call = Call("1", Tool(ref, {}), arguments or {}, Identity(caller), deadline, context)
        return await backend.call(call)


def faults(text, environ=None, file="api.yaml"):
    """The messages of what is wrong with a file."""
    loaded = load(text.encode(), file, environ=environ or {}, redactor=Redactor())
    return [issue.message for issue in loaded.issues if issue.severity == "error"]


def _state(folder):
    return {} if folder is None else {"STATE_DIRECTORY": str(folder)}
