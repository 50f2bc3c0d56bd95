"""gateway/backends/files.py: kept for a while, for one caller, within bounds."""

import base64
import json

import pytest

from gateway.backends.files import Bounds, Files
from gateway.capability.compiled import Oversize
from gateway.domain.call import Call, Query
from gateway.domain.identity import Identity
from gateway.domain.tool import Tool, ToolRef
from gateway.errors import BadResponse, RemoteError, Unsupported

FILE = Oversize("a.png", "image/png", b"\x89PNG")


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def a_call(caller="ann", backend="api"):
    tool = Tool(ToolRef(backend, "t"), {"name": "t"})
    return Call("1", tool, {}, Identity(caller), 9.0)


def keep(files, file=FILE, caller="ann", backend="api"):
    """The URI it is linked to, without the part that says whose it is."""
    uri = files.keep(file, a_call(caller, backend)).content[0]["uri"]
    head = f"capgate://{backend}/"
    assert uri.startswith(f"{head}files/")
    return uri.removeprefix(head)


async def read(files, uri, caller="ann", backend="api"):
    query = Query("1", backend, "resources/read", {"uri": uri}, Identity(caller))
    (content,) = json.loads((await files.answer(query)).raw)["contents"]
    assert content["uri"] == f"capgate://{backend}/{uri}"
    return base64.b64decode(content["blob"]), content["mimeType"]


async def test_a_kept_file_is_read_by_its_uri():
    files = Files()
    uri = keep(files)
    assert await read(files, uri) == await read(files, uri) == (b"\x89PNG", "image/png")
    assert keep(files) != uri
    assert repr(files) == "<Files 2, 8 bytes>"
    files.close()


async def test_nobody_else_and_no_other_server_has_it_i40():
    files = Files()
    uri = keep(files)
    said = set()
    others = [("bob", "api", uri), ("ann", "other", uri), ("ann", "api", "files/nix")]
    for caller, backend, asked in [*others, ("ann", "api", uri.removeprefix("files/"))]:
        with pytest.raises(RemoteError) as caught:
            await read(files, asked, caller, backend)
        assert caught.value.number == -32602
        said.add(caught.value.said.replace(asked, "X").replace(backend, "B"))
    assert said == {
        "no resource 'capgate://B/X': a file is kept for 10 minutes; call the tool again"
    }
    files.close()


async def test_it_is_gone_after_its_time():
    clock = Clock()
    files = Files(Bounds(seconds=600), clock)
    uri = keep(files)
    clock.now = 599.9
    assert await read(files, uri)
    clock.now = 600
    with pytest.raises(RemoteError):
        await read(files, uri)
    assert repr(files) == "<Files 0, 0 bytes>"
    files.close()


async def test_a_caller_cannot_drive_out_the_files_of_others():
    files = Files(Bounds(most=100, each=50, count=1000))
    big = Oversize("b", "x/y", b"x" * 20)
    bobs = keep(files, big, "bob")
    first, second, third = (keep(files, big) for _ in range(3))
    assert await read(files, bobs, "bob")
    assert await read(files, second)
    assert await read(files, third)
    with pytest.raises(RemoteError):
        await read(files, first)
    files.close()


async def test_all_of_them_together_are_bounded_and_the_oldest_goes():
    files = Files(Bounds(most=50, each=40, count=1000))
    big = Oversize("b", "x/y", b"x" * 20)
    oldest = keep(files, big, "a")
    rest = [(keep(files, big, who), who) for who in ("b", "c")]
    with pytest.raises(RemoteError):
        await read(files, oldest, "a")
    assert all([await read(files, uri, who) for uri, who in rest])
    few = Files(Bounds(count=8))
    uris = [keep(few, FILE) for _ in range(3)]
    with pytest.raises(RemoteError):
        await read(few, uris[0])
    assert repr(few) == "<Files 2, 8 bytes>"
    for each in (files, few):
        each.close()


async def test_one_that_is_too_large_for_all_is_refused():
    files = Files(Bounds(each=3))
    with pytest.raises(BadResponse, match="a file of 4 bytes, too large to be kept"):
        keep(files)
    assert repr(files) == "<Files 0, 0 bytes>"


async def test_other_methods_are_not_its_affair():
    query = Query("1", "api", "completion/complete", {}, Identity("ann"))
    with pytest.raises(Unsupported, match="has tools only"):
        await Files().answer(query)


async def test_memory_is_given_back_though_nobody_asks():
    clock = Clock()
    files = Files(Bounds(seconds=600), clock)
    keep(files)
    clock.now = 601
    assert files._sweep is not None
    files._sweep_now()
    assert (repr(files), files._sweep) == ("<Files 0, 0 bytes>", None)
