"""One reload that fails, and the next."""

from gateway.config.load import Source, understand
from gateway.runtime.configured import Configured
from gateway.runtime.reconcile import Reconciler
from gateway.runtime.reload import Reloader
from gateway.runtime.shelf import Version
from gateway.runtime.snapshot import Current
from tests.peers.backends import BrokenBackend, MemoryBackend


async def test_a_folder_that_nobody_named_may_be_missing_beside_mcp_servers(tmp_path):
    for text, told in (
        ("", True),
        ("backends: {a: {command: x}}", False),
        ("backends: {a: {comand: x}}", False),
        ("mcp_servers: .mcp.json", False),
        ("backends: {a: {command: x}}\ncapabilities: {directories: [caps]}", True),
    ):
        file = tmp_path / "gateway.yaml"
        file.write_text(text)
        current = Current()
        configured = Configured(
            Source(str(file)),
            understand(text.encode(), str(file), {}, {}).config,
            lambda data: understand(data, str(file), {}, {}),  # noqa: B023  called at once
        )
        reloader = Reloader(
            configured, lambda _settings: None, Reconciler(current, lambda _event: None)
        )
        await reloader.reload(cold=True)
        missing = [one for one in current.get().issues if "as soon as it appears" in one.message]
        assert bool(missing) is told, text


async def test_a_reload_that_cannot_go_live_is_tried_again_at_the_next_look(tmp_path, caplog):
    caps = tmp_path / "capabilities"
    caps.mkdir()
    (caps / "a.yaml").write_text("gh")
    kinds = [BrokenBackend, BrokenBackend, MemoryBackend]
    file = str(tmp_path / "gateway.yaml")

    def load_with(_settings):
        return lambda data, _file: Version(data.decode(), lambda: kinds.pop(0)(data.decode()))

    def understood(data):
        return understand(data, file, {}, {})

    current = Current()
    reloader = Reloader(
        Configured(Source(file), understood(b"").config, understood),
        load_with,
        Reconciler(current, lambda _event: None),
    )
    await reloader.reload(cold=True)
    await reloader.reload()
    assert not current.get().catalog.backends
    assert caplog.messages.count("reload_failed") == 2
    await reloader.reload()
    assert list(current.get().catalog.backends) == ["gh"]
    assert caplog.messages.count("reload_failed") == 2
