"""Whether a server in the operator's files is the very gateway that reads them.

It often is: `.mcp.json` is also where a client is told of the gateway. To connect to it would offer
all it offers once more, and again; to start it would start one gateway out of another without end.
"""

from itertools import pairwise
from pathlib import Path, PurePath

from yarl import URL

from gateway.config.backends import Backend
from gateway.config.load import NAME
from gateway.config.model import Server
from gateway.config.servers import kind
from gateway.config.variables import FILE_VARIABLE, over_stdio
from gateway.transports import Stdio

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PROGRAM = "capgate"
MODULE = ("-m", "gateway")


def is_ourselves(backend: Backend, server: Server, file: str) -> bool:
    """For one without problems; `server` is where we listen, `file` the gateway.yaml we read."""
    reached = kind(backend)
    if isinstance(reached, Stdio):
        return _starts_a_gateway(reached) and _reads(reached) == _absolute(file)
    url = URL(reached.url)
    here = url.host in LOOPBACK if server.host in LOOPBACK else url.host in {*LOOPBACK, server.host}
    return here and url.port == server.port and url.path.split("/")[1:2] == ["mcp"]


def _starts_a_gateway(started: Stdio) -> bool:
    argv = started.command
    if "serve" not in argv or not ("--stdio" in argv or over_stdio(dict(started.env))):
        return False
    named = any(PurePath(word).name == PROGRAM for word in argv)
    return named or MODULE in pairwise(argv)


def _reads(started: Stdio) -> Path:
    """The gateway.yaml of a gateway that is started so."""
    given = dict(started.env).get(FILE_VARIABLE)
    for option, value in pairwise([*started.command, ""]):
        if option in {"-c", "--config"}:
            given = value
        elif option.startswith("--config="):
            given = option.partition("=")[2]
    return _absolute(Path(started.cwd or ".") / (given or NAME))


def _absolute(path: str | Path) -> Path:
    return Path(path).resolve()
