"""Capability files with `tls: {…}` before a server that wants a certificate of its clients."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner

from gateway.backends import looking
from gateway.cli import cli
from gateway.errors import BackendUnavailable, GatewayError
from gateway.http.own_tls import Fault, Files, OwnTls, read
from tests.peers.oauth_world import World
from tests.peers.rest_files import Desk, faults
from tests.peers.tls import Authority
from tests.peers.web import serving

FILE = """\
capability: 1
name: {name}
description: Wants a certificate
base_url: https://localhost:{port}
tls: {tls}
retry: {{max: 0}}
tools:
  ask: {{description: Reads., get: /}}
"""
ALL = "{ca: ca.pem, cert: pki/us.pem, key: pki/us.key}"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "pki").mkdir()
    made = Authority(tmp_path / "pki")
    (tmp_path / "ca.pem").write_bytes(made.written().read_bytes())
    made.identity("us")
    return made


async def who(request: web.Request) -> web.Response:
    shown = request.transport.get_extra_info("peercert")
    name = dict(pair[0] for pair in shown["subject"])["commonName"] if shown else None
    return web.json_response({"name": name})


@contextlib.asynccontextmanager
async def bench(tls, handler=who):
    async with asyncio.timeout(20), serving(handler, tls) as port, Desk() as desk:
        yield port, desk


async def opened(desk, port, folder, tls=ALL, name="api"):
    text = FILE.format(port=port, tls=tls, name=name)
    return await desk.open(text, file=str(folder / "api.yaml"))


async def told(desk, backend):
    return (await desk.call(backend, "ask")).structured


async def test_our_certificate_is_shown_and_theirs_is_checked(authority, tmp_path):
    async with bench(authority.mutual()) as (port, desk):
        backend = await opened(desk, port, tmp_path)
        assert backend.listing.health.status == "ok"
        assert await told(desk, backend) == b'{"name":"us"}'


async def test_nobody_else_shows_it(authority, tmp_path):
    """Neither a file without `tls`, nor one with another certificate, is on its connections."""
    server = authority.mutual()
    authority.identity("them")
    async with bench(server) as (port, desk):
        backend = await opened(desk, port, tmp_path)
        other = "{ca: ca.pem, cert: pki/them.pem, key: pki/them.key}"
        them = await opened(desk, port, tmp_path, other, "other")
        bare = await opened(desk, port, tmp_path, "{ca: ca.pem}", "bare")
        assert [await told(desk, one) for one in (backend, them, backend)] == [
            b'{"name":"us"}',
            b'{"name":"them"}',
            b'{"name":"us"}',
        ]
        with pytest.raises(GatewayError):
            await told(desk, bare)


@pytest.mark.parametrize("host", ["wrong.example"])
async def test_a_name_that_is_not_theirs_is_refused_i61(authority, tmp_path, host):
    async with bench(authority.server(host)) as (port, desk):
        backend = await opened(desk, port, tmp_path)
        with pytest.raises(BackendUnavailable, match="certificate is refused"):
            await told(desk, backend)


@pytest.mark.usefixtures("authority")
async def test_only_the_authority_of_the_file_is_trusted(tmp_path):
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other")
    async with bench(stranger.server()) as (port, desk):
        backend = await opened(desk, port, tmp_path)
        with pytest.raises(BackendUnavailable, match="certificate is refused"):
            await told(desk, backend)


async def test_missing_files_degrade_that_backend_until_they_are_there(authority, tmp_path):
    key = tmp_path / "pki" / "us.key"
    kept = key.read_bytes()
    key.unlink()
    async with bench(authority.mutual()) as (port, desk):
        backend = await opened(desk, port, tmp_path)
        said = f"degraded (tls.key {key}: no such file or directory)"
        assert str(backend.listing.health) == said
        with pytest.raises(BackendUnavailable, match="no such file") as caught:
            await told(desk, backend)
        assert "no restart is needed" in caught.value.explain()
        key.write_bytes(kept)
        while backend.listing.health.status != "ok":  # it looks by itself
            await asyncio.sleep(0.05)
        assert await told(desk, backend) == b'{"name":"us"}'


async def test_changed_files_serve_the_next_connection(authority, tmp_path):
    now = [0.0]
    heard = []
    certificate, key = tmp_path / "pki" / "us.pem", tmp_path / "pki" / "us.key"
    tls = OwnTls(
        Files(str(tmp_path / "ca.pem"), str(certificate), str(key)),
        lambda: heard.append(tls.fault),
        lambda: now[0],
    )
    first = await tls.context()
    assert await tls.context() is first
    authority.identity("us")
    assert await tls.context() is first  # looked at a moment ago
    now[0] += looking.LOOK_AGAIN
    second = await tls.context()
    assert second is not first
    key.write_text("half written")
    now[0] += looking.LOOK_AGAIN
    assert await tls.context() is second  # it is good still
    assert heard == [tls.fault]
    assert "no certificate with its key in PEM" in tls.fault
    authority.identity("us")
    now[0] += looking.LOOK_AGAIN
    assert await tls.context() is not second
    assert heard[1:] == [None]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("ca", "", "no certificate in PEM"),
        ("ca", "nonsense", "no certificate in PEM"),
        ("cert", "nonsense", "no certificate with its key in PEM"),
        ("key", "nonsense", "no certificate with its key in PEM"),
    ],
)
@pytest.mark.usefixtures("authority")
def test_what_is_no_certificate_is_named(tmp_path, name, text, reason):
    files = good(tmp_path)._asdict()
    Path(files[name]).write_text(text)
    with pytest.raises(Fault, match=reason) as caught:
        read(Files(**files))
    assert f"tls.{name} {files[name]}" in str(caught.value)


def test_a_key_of_another_certificate_an_encrypted_one_and_no_file_are_named(authority, tmp_path):
    files = good(tmp_path)
    _, other = authority.identity("other")
    with pytest.raises(Fault, match=r"other\.key: not the key of .*us\.pem"):
        read(files._replace(key=str(other)))
    certificate, key = authority.identity("hidden", b"canary")
    with pytest.raises(Fault, match="the key is encrypted"):
        read(Files(None, str(certificate), str(key)))
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Fault, match="not a file of certificates"):
        read(files._replace(ca=str(tmp_path / "fifo")))


def good(folder: Path) -> Files:
    return Files(
        str(folder / "ca.pem"), str(folder / "pki" / "us.pem"), str(folder / "pki" / "us.key")
    )


async def test_tokens_are_asked_for_with_the_files_certificate(authority, tmp_path):
    world = World()
    shown = []

    async def answer(request):
        if request.path == "/token":
            shown.append(request.transport.get_extra_info("peercert") is not None)
        return await world.answer(request)

    async with bench(authority.mutual(), answer) as (port, desk):
        world.port = port
        text = FILE.format(port=port, tls=ALL, name="api").replace("get: /", "get: /mcp")
        oauth = (
            f"auth: {{oauth2: {{grant: client_credentials, client_id: me, client_secret: secret, "
            f"token_url: https://localhost:{port}/token}}}}\n"
        )
        backend = await desk.open(text + oauth, file=str(tmp_path / "api.yaml"))
        assert await told(desk, backend) == b'{"ok":true}'
        assert shown == [True]


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        ("{}", "names no certificate"),
        ("{key: a.key}", "a key without its certificate"),
        ("{cert: a.pem, pem: b}", "unknown key 'pem'"),
    ],
)
def test_what_cannot_be_meant_is_said_at_load(tls, message):
    assert any(message in found for found in faults(FILE.format(port=1, tls=tls, name="api")))


def test_without_https_no_certificate_would_count():
    text = FILE.format(port=1, tls="{ca: a}", name="api").replace("https:", "http:")
    assert "not https" in faults(text)[0]


async def test_a_live_call_of_the_command_line_shows_it_too(authority, tmp_path):
    async with bench(authority.mutual()) as (port, _):
        file = tmp_path / "api.yaml"
        file.write_text(FILE.format(port=port, tls=ALL, name="api"))
        words = ["record", "api:ask", "--capabilities", str(file)]
        result = await asyncio.to_thread(CliRunner().invoke, cli, words)
    assert result.exit_code == 0, result.output
    assert '"name":"us"' in file.read_text()
