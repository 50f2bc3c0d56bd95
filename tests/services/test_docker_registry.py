"""examples/docker-registry: pages by Link, digests in headers, uploads by Location; a real one."""

import base64
import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.peers.programs import ROOT, capgate, console, free_port, gateway
from tests.services.agent import Agent
from tests.services.install import debian
from tests.services.starting import service, wanted

EXAMPLE = ROOT / "examples" / "docker-registry"
KEPT = "/tmp/registry"  # noqa: S108 (what the example says)
OCI = "application/vnd.oci.image"
LAYER = b"a layer"
CONFIG = b'{"architecture": "amd64"}'


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """An empty one, with the example's settings but for the port and the folder."""
    found = wanted("docker-registry", lambda: debian("docker-registry"))
    port, config = free_port(), (EXAMPLE / "config.yml").read_text()
    config = config.replace(KEPT, str(folder / "data")).replace("5000", str(port))
    (folder / "config.yml").write_text(config)
    argv, ready = [found.program, "serve", folder / "config.yml"], f"http://127.0.0.1:{port}/v2/"
    with service(argv, folder / "log", ready, found.environ) as program:
        yield program.url


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("registry")) as url:
        yield url


@pytest.fixture(scope="module")
def agent(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    with gateway(output, EXAMPLE / "capabilities", environ={"REGISTRY_URL": registry}) as program:
        yield Agent(f"{program.url}/mcp", "registry")


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def manifest(**more: object) -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": {
            "mediaType": f"{OCI}.config.v1+json",
            "digest": digest(CONFIG),
            "size": len(CONFIG),
        },
        "layers": [
            {"mediaType": f"{OCI}.layer.v1.tar", "digest": digest(LAYER), "size": len(LAYER)}
        ],
        **more,
    }


async def uploaded(http: ClientSession, home: str, blob: bytes) -> None:
    """As a client of registries does it: begun, and sent where the answer says."""
    async with http.post(f"{home}/blobs/uploads/") as started:
        place = started.headers["Location"]
    kind = {"Content-Type": "application/octet-stream"}
    async with http.put(f"{place}&digest={digest(blob)}", data=blob, headers=kind) as done:
        assert done.status == 201, await done.text()


async def pushed(registry: str, repository: str, tags: list[str]) -> None:
    """The blobs, and one manifest under all these tags."""
    home, data = f"{registry}/v2/{repository}", json.dumps(manifest()).encode()
    kind = {"Content-Type": f"{OCI}.manifest.v1+json"}
    async with ClientSession() as http:
        for blob in (LAYER, CONFIG):
            await uploaded(http, home, blob)
        for tag in tags:
            async with http.put(f"{home}/manifests/{tag}", data=data, headers=kind) as done:
                assert done.status == 201, await done.text()


async def test_all_tags_of_an_image_are_listed(agent: Agent, registry: str) -> None:
    tags = [f"v{number:03}" for number in range(130)]
    await pushed(registry, "shop/tags", tags)
    assert sorted(await agent.result("list_tags", repository="shop/tags")) == tags


async def test_repositories_come_in_pages_that_the_link_header_names(
    agent: Agent, registry: str
) -> None:
    names = [f"many/r{number:03}" for number in range(105)]
    async with ClientSession() as http:
        for name in names:
            await uploaded(http, f"{registry}/v2/{name}", LAYER)
    listed = await agent.result("list_repositories")
    assert [name for name in listed if name.startswith("many/")] == names
    rest = await agent.result("list_repositories", after="many/r099")
    assert rest[:5] == names[100:]


async def test_an_image_is_read_tagged_and_deleted(agent: Agent, registry: str) -> None:
    await pushed(registry, "shop/deep/api", ["v1"])
    found = await agent.result("get_manifest", repository="shop/deep/api", reference="v1")
    assert found["layers"] == [digest(LAYER)]
    assert found["sizes"] == [len(LAYER)]
    assert found["digest"] == digest(json.dumps(manifest()).encode())
    config = await agent.text("get_blob", repository="shop/deep/api", digest=found["config"])
    assert config == CONFIG.decode()

    named = manifest(annotations={"note": "größe {{7*7}}"})
    put = {"repository": "shop/deep/api", "tag": "v2", "manifest": named}
    written = await agent.result("put_manifest", **put)
    assert await agent.result("list_tags", repository="shop/deep/api") == ["v1", "v2"]
    async with (
        ClientSession() as http,
        http.get(
            f"{registry}/v2/shop/deep/api/manifests/v2",
            headers={"Accept": f"{OCI}.manifest.v1+json"},
        ) as answer,
    ):
        kept = await answer.read()
    assert json.loads(kept) == named
    told = await agent.result("manifest_digest", repository="shop/deep/api", reference="v2")
    assert told == {
        "digest": digest(kept),
        "type": f"{OCI}.manifest.v1+json",
        "size": len(kept),
    }
    assert written == {"digest": told["digest"]}

    gone = {"repository": "shop/deep/api", "digest": told["digest"]}
    assert await agent.result("delete_manifest", **gone) == {}
    assert await agent.result("list_tags", repository="shop/deep/api") == ["v1"]
    assert "manifest unknown" in await agent.refusal("delete_manifest", **gone)


async def test_a_202_with_a_location_is_waited_for(agent: Agent) -> None:
    begun = await agent.result("start_upload", repository="shop/new")
    assert re.fullmatch(r"[0-9a-f-]{36}", begun["upload"])


async def test_an_image_is_pushed_and_deleted_by_the_tools_alone(agent: Agent) -> None:
    """Each upload goes on where the registry says, with the state that it has put there."""
    home = {"repository": "shop/pushed"}
    for blob in (LAYER, CONFIG, bytes(range(256)) * 4_000):
        sent = {"data": base64.b64encode(blob).decode(), "digest": digest(blob)}
        assert await agent.result("upload_blob", **home, **sent) == {"digest": digest(blob)}
    assert await agent.text("get_blob", **home, digest=digest(LAYER)) == LAYER.decode()
    await agent.result("put_manifest", **home, tag="v1", manifest=manifest())
    told = await agent.result("manifest_digest", **home, reference="v1")
    assert await agent.result("delete_manifest", **home, digest=told["digest"]) == {}
    said = await agent.refusal("manifest_digest", **home, reference="v1")
    assert "The registry has no such thing: not found" in said


async def test_a_blob_of_another_digest_is_refused_and_it_is_said_what_was_done(
    agent: Agent,
) -> None:
    sent = {"data": base64.b64encode(LAYER).decode(), "digest": digest(CONFIG)}
    said = await agent.refusal("upload_blob", repository="shop/wrong", **sent)
    assert "provided digest did not match uploaded content" in said
    assert "(step send; completed: start)" in said
    assert "start was carried out already" in said


async def test_what_the_registry_refuses_is_told_in_its_words(agent: Agent, registry: str) -> None:
    said = await agent.refusal("list_tags", repository="nobody")
    assert "The registry has no such thing: repository name not known to registry" in said
    said = await agent.refusal("put_manifest", repository="shop/bad", tag="v1", manifest=manifest())
    assert "blob unknown to registry" in said
    await pushed(registry, "shop/one", ["v1"])
    said = await agent.refusal("get_manifest", repository="shop/one")
    assert "manifest unknown" in said


@pytest.mark.parametrize(
    "name",
    ["..", "../../_catalog", "shop/../../x", "%2e%2e/x", "a?n=1", "a#b", "Größe", "/", "a//b"],
)
async def test_a_hostile_repository_never_leaves_its_place(agent: Agent, name: str) -> None:
    """I47."""
    assert "not_sent" in await agent.refusal("list_tags", repository=name)
    assert "not_sent" in await agent.refusal("get_manifest", repository=name)


@pytest.mark.parametrize("reference", ["../tags/list", "a/b", "a?x", "..", ".", "%2e%2e"])
async def test_a_hostile_reference_never_leaves_its_place(agent: Agent, reference: str) -> None:
    """I47."""
    said = await agent.refusal("get_manifest", repository="shop/one", reference=reference)
    assert "not_sent" in said


def test_the_readme_says_what_happens(tmp_path: Path) -> None:
    commands = console(EXAMPLE / "README.md")
    assert commands
    with serving(tmp_path) as url:
        for words, answer in commands:
            assert capgate(words, {"REGISTRY_URL": url}) == answer
