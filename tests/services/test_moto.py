"""examples/aws: signed requests, XML, form RPC, AWS's JSON; before moto, which checks signatures.

moto lets in anybody until its first users are made; from then on a request counts only with the
signature that its user's secret gives, over the path, the query, the headers and the body.
"""

import base64
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from mcp import Client, types

from tests.conformance.install import environment
from tests.peers.programs import ROOT, Program, capgate, console, free_port, gateway
from tests.services.agent import Agent
from tests.services.starting import service, wanted

EXAMPLE = ROOT / "examples" / "aws"
PACKAGES = ("moto==5.2.5", "flask==3.1.3", "flask-cors==6.0.5", "py-partiql-parser==0.6.3")
SERVICES = ("S3", "DYNAMODB", "SNS")
ANYBODY = (
    "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261121/us-east-1/iam/aws4_request, "
    "SignedHeaders=host, Signature=0"
)
MAY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'

HOSTILE = (
    "a&TopicArn=b",
    "a b+c=d%20",
    "{{ secrets.key }}",
    "größe 日本 🦊",
    '"},"ReturnValues":"x',
    "</Value><Value>",
    "~!*'();:@$,/?#[]",
)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Without users."""
    home = wanted("moto", lambda: environment("moto", *PACKAGES))
    port = free_port()
    argv: list[str | Path] = [home / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    ready = f"http://127.0.0.1:{port}/moto-api/data.json"
    log = tmp_path_factory.mktemp("moto") / "log"
    with service(argv, log, ready, {"INITIAL_NO_AUTH_ACTION_COUNT": "1000000"}) as program:
        yield program


@pytest.fixture(scope="module")
def keys(moto: Program) -> dict[str, str]:
    """Those of a user who may do all; from now on nobody else is let in."""
    iam(moto, "CreateUser")
    iam(moto, "PutUserPolicy", PolicyName="all", PolicyDocument=MAY)
    made = iam(moto, "CreateAccessKey")
    posted(f"{moto.url}/moto-api/reset-auth", b"0", **{"Content-Type": "text/plain"})
    found = {name: re.search(f"<{name}>(.*?)</{name}>", made) for name in NAMES}
    return {NAMES[name]: value[1] for name, value in found.items() if value}


def iam(moto: Program, action: str, **parameters: str) -> str:
    form = {"Action": action, "Version": "2010-05-08", "UserName": "ann", **parameters}
    return posted(moto.url, urlencode(form).encode(), Authorization=ANYBODY)


def posted(url: str, body: bytes, **headers: str) -> str:
    request = urllib.request.Request(url, body, headers)  # noqa: S310  loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return str(answer.read().decode())


NAMES = {"AccessKeyId": "AWS_ACCESS_KEY_ID", "SecretAccessKey": "AWS_SECRET_ACCESS_KEY"}


def environ(moto: Program, keys: dict[str, str]) -> dict[str, str]:
    return {**keys, **{f"AWS_ENDPOINT_URL_{name}": moto.url for name in SERVICES}}


@pytest.fixture(scope="module")
def served(
    moto: Program, keys: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    with gateway(output, EXAMPLE / "capabilities", environ=environ(moto, keys)) as program:
        yield program


@pytest.fixture(scope="module")
def s3(served: Program) -> Agent:
    return Agent(f"{served.url}/mcp", "s3")


@pytest.fixture(scope="module")
def dynamodb(served: Program) -> Agent:
    return Agent(f"{served.url}/mcp", "dynamodb")


@pytest.fixture(scope="module")
def sns(served: Program) -> Agent:
    return Agent(f"{served.url}/mcp", "sns")


async def called(agent: Agent, tool: str, several: list[dict[str, Any]]) -> None:
    """All of them by one client, one after the other."""
    async with Client(agent.url) as client:
        for arguments in several:
            named = {"server": agent.server, "tool": tool, "arguments": arguments}
            assert not (await client.call_tool("gateway_invoke", named)).is_error


# -- S3: paths, bytes and XML -------------------------------------------------------------------


async def test_buckets_are_listed_be_there_none_one_or_two(s3: Agent) -> None:
    """XML says one thing in place of a list of one; the tool's answer is a list all the same."""
    for names in ([], ["only"], ["only", "second"]):
        for name in names[-1:]:
            assert await s3.result("create_bucket", bucket=name) == {"created": True}
        assert [each["name"] for each in await s3.result("list_buckets")] == names


async def bucket(s3: Agent, name: str) -> str:
    await s3.result("create_bucket", bucket=name)
    return name


async def test_a_text_is_written_read_replaced_and_deleted(s3: Agent) -> None:
    at = {"bucket": await bucket(s3, "texts"), "key": "2026/report.txt"}
    assert await s3.result("write_object", **at, text="größe\n") == {"written": True}
    assert await s3.text("read_object", **at) == "größe\n"
    await s3.result("write_object", **at, text="second")
    assert await s3.text("read_object", **at) == "second"
    assert await s3.result("delete_object", **at) == {"deleted": True}
    assert "NoSuchKey" in await s3.refusal("read_object", **at)
    assert await s3.result("delete_object", **at) == {"deleted": True}


@pytest.mark.parametrize(
    "key", ["a b+c.txt", "größe/日本.txt", "q?x=1&y", "100%/#1", "a;b,c:d@e=f", "{{7*7}}", "'*~!()"]
)
async def test_the_signature_holds_for_any_key(s3: Agent, key: str) -> None:
    """I47, and SigV4's own encoding of a path: moto signs what it was asked for, and compares."""
    name = "keys" + str(sum(key.encode()))
    at = {"bucket": await bucket(s3, name), "key": key}
    await s3.result("write_object", **at, text=key)
    assert await s3.text("read_object", **at) == key
    listed = await s3.result("list_objects", bucket=name)
    assert [(each["key"], each["bytes"]) for each in listed] == [(key, str(len(key.encode())))]


@pytest.mark.parametrize("key", ["../keys/x", "a/../../b", "..", "%2e%2e/x"])
async def test_a_key_never_leaves_its_bucket(s3: Agent, key: str) -> None:
    assert "not_sent" in await s3.refusal("read_object", bucket="texts", key=key)


async def test_bytes_go_and_come_back_as_they_are(s3: Agent) -> None:
    data = base64.b64encode(bytes(range(256))).decode()
    at = {"bucket": await bucket(s3, "bytes"), "key": "all.bin"}
    assert await s3.result("upload_object", **at, data=data) == {"written": True}
    told = await s3.call("download_object", **at)
    (found,) = [one for one in told.content if isinstance(one, types.EmbeddedResource)]
    assert isinstance(found.resource, types.BlobResourceContents)
    assert found.resource.blob == data
    await s3.result("upload_object", **{**at, "key": "x.png"}, data=data, content_type="image/png")
    told = await s3.call("download_object", **{**at, "key": "x.png"})
    assert isinstance(told.content[0], types.ImageContent)


async def test_a_long_list_comes_page_by_page(s3: Agent) -> None:
    name = await bucket(s3, "pages")
    keys = [f"n/{number:03} +&.txt" for number in range(101)]
    await called(s3, "write_object", [{"bucket": name, "key": key, "text": "x"} for key in keys])
    await s3.result("write_object", bucket=name, key="other", text="x")
    listed = await s3.result("list_objects", bucket=name, prefix="n/")
    assert [each["key"] for each in listed] == keys
    assert await s3.result("list_objects", bucket=name, prefix="none/") == []


async def test_what_s3_refuses_is_told_in_its_words(s3: Agent) -> None:
    assert "S3 refused (NoSuchBucket)" in await s3.refusal("list_objects", bucket="nobody")
    assert "S3 refused (NoSuchBucket)" in await s3.refusal(
        "download_object", bucket="nobody", key="x"
    )


# -- DynamoDB: JSON with a target header --------------------------------------------------------


async def test_items_are_put_found_replaced_and_deleted(dynamodb: Agent) -> None:
    made = await dynamodb.result("create_table", table="books")
    assert made["table"] == "books"
    assert "books" in await dynamodb.result("list_tables")
    key = {"id": {"S": "b1"}}
    item = {**key, "pages": {"N": "280"}, "tags": {"SS": ["a", "b"]}}
    assert await dynamodb.result("put_item", table="books", item=item) == {}
    assert await dynamodb.result("get_item", table="books", key=key) == item
    newer = {**key, "pages": {"N": "12345678901234567890"}}
    assert await dynamodb.result("put_item", table="books", item=newer) == {"replaced": item}
    assert await dynamodb.result("scan", table="books") == [newer]
    assert await dynamodb.result("delete_item", table="books", key=key) == {"deleted": newer}
    assert "no such item" in await dynamodb.refusal("get_item", table="books", key=key)


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_a_hostile_item_is_only_ever_an_item(dynamodb: Agent, hostile: str) -> None:
    """I47."""
    table = f"hostile{sum(hostile.encode())}"
    await dynamodb.result("create_table", table=table)
    item = {"id": {"S": hostile}, hostile: {"S": hostile}}
    await dynamodb.result("put_item", table=table, item=item)
    assert await dynamodb.result("scan", table=table) == [item]


async def test_many_items_come_page_by_page_by_a_cursor_that_is_an_object(
    dynamodb: Agent,
) -> None:
    await dynamodb.result("create_table", table="many", type="N")
    items = [{"id": {"N": str(number)}} for number in range(60)]
    await called(dynamodb, "put_item", [{"table": "many", "item": item} for item in items])
    found = await dynamodb.result("scan", table="many")
    assert sorted(int(each["id"]["N"]) for each in found) == list(range(60))


async def test_what_dynamodb_refuses_is_told_in_its_words(dynamodb: Agent) -> None:
    said = await dynamodb.refusal("scan", table="nobody")
    assert "DynamoDB refused: Requested resource not found" in said


# -- SNS: form RPC, answered with XML -----------------------------------------------------------


async def test_topics_are_made_listed_renamed_and_published_to(sns: Agent) -> None:
    assert await sns.result("list_topics") == []
    topic = (await sns.result("create_topic", name="alarms"))["topic"]
    assert await sns.result("list_topics") == [topic]
    other = (await sns.result("create_topic", name="other"))["topic"]
    assert sorted(await sns.result("list_topics")) == sorted([topic, other])
    assert (await sns.result("publish", topic=topic, message="fire", subject="now"))["message"]


async def test_many_topics_come_page_by_page_by_a_cursor_in_a_form(sns: Agent) -> None:
    """Amazon gives a hundred at once."""
    names = [f"page-{number:03}" for number in range(101)]
    await called(sns, "create_topic", [{"name": name} for name in names])
    found = [topic.rpartition(":")[2] for topic in await sns.result("list_topics")]
    assert sorted(name for name in found if name.startswith("page-")) == names


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_a_hostile_name_is_one_value_of_one_form(sns: Agent, hostile: str) -> None:
    """I47: it comes back out of moto's own parser, and every topic is still there."""
    topic = (await sns.result("create_topic", name="hostile"))["topic"]
    await sns.result("rename_topic", topic=topic, display_name=hostile)
    told = {each["name"]: each["value"] for each in await sns.result("describe_topic", topic=topic)}
    assert told["DisplayName"] == hostile
    assert await sns.result("publish", topic=topic, message=hostile)


async def test_what_sns_refuses_is_told_in_its_words(sns: Agent) -> None:
    missing = "arn:aws:sns:eu-central-1:123456789012:nobody"
    assert "SNS refused (NotFound)" in await sns.refusal("describe_topic", topic=missing)


# -- secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "tool", "said"),
    [
        ("s3", "list_buckets", "SignatureDoesNotMatch"),
        ("sns", "list_topics", "SignatureDoesNotMatch"),
        ("dynamodb", "list_tables", "signature"),
    ],
)
async def test_a_wrong_secret_gives_a_signature_that_is_refused(
    moto: Program, keys: dict[str, str], tmp_path: Path, server: str, tool: str, said: str
) -> None:
    """Bad case beside all the good ones: moto does compare. I42: the secret is not told."""
    wrong = environ(moto, {**keys, "AWS_SECRET_ACCESS_KEY": "wrong-secret-canary"})
    with gateway(tmp_path / "log", EXAMPLE / "capabilities", environ=wrong) as served:
        refusal = await Agent(f"{served.url}/mcp", server).refusal(tool)
        log = served.log
    assert said in refusal
    assert "wrong-secret-canary" not in refusal + log


async def test_no_secret_shows_in_the_log(served: Program, keys: dict[str, str], s3: Agent) -> None:
    """I42."""
    await s3.result("list_buckets")
    secret = keys["AWS_SECRET_ACCESS_KEY"]
    assert len(secret) > 20
    assert secret not in served.log
    assert quote(secret) not in served.log


def test_the_readme_says_what_happens(moto: Program, keys: dict[str, str]) -> None:
    commands: list[Any] = console(EXAMPLE / "README.md")
    assert commands
    for words, answer in commands:
        assert capgate(words, environ(moto, keys)) == answer
