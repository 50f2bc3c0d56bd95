"""Results of MCP servers, in the words of the client's era. Bytes are spliced, not parsed, wherever
nothing inside them has to change.
"""

from gateway.domain.call import Relayed
from gateway.protocol.eras import Revision
from gateway.protocol.jsonrpc import encode, loads

MODERN_ONLY = ("resultType", "ttlMs", "cacheScope")


def relayed(result: Relayed, revision: Revision) -> bytes:
    """The result object for a client of `revision`."""
    if revision.modern:
        return result.raw if result.modern else _completed(result.raw)
    return _stripped(result.raw) if result.modern else result.raw


def _completed(raw: bytes) -> bytes:
    body = raw.lstrip()[1:].lstrip()
    return b'{"resultType":"complete"' + (b"}" if body == b"}" else b"," + body)


def _stripped(raw: bytes) -> bytes:
    found = loads(raw)
    return encode({key: value for key, value in found.items() if key not in MODERN_ONLY})
