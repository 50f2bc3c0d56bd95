"""What a path takes elements out of is a list, be there one element or several."""

import json

import pytest

from gateway.capability.answers.xml_lists import listed, torn
from gateway.capability.file.model import Paginate, Response, Step, ToolSpec
from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.domain.tool import ToolResult
from gateway.errors import UpstreamFailed
from gateway.http.message import HttpResponse

FILE = b"""
capability: 1
name: shop
description: A shop whose answers are XML
base_url: https://shop.example
tools:
  orders:
    description: All orders.
    get: /orders
    errors: [{status: 4xx, when: body.Error, message: "It says: {{ body.Error.Text }}"}]
    response:
      as: xml
      select: $.Orders.Order[*]
      map: {id: "$['@id']", first: "$.Line[0].Name", lines: "$.Line[*].Name"}
  receipt:
    description: A receipt.
    get: /receipt
    errors: [{status: 4xx, when: body.Error, message: "It says: {{ body.Error.Text }}"}]
    response: {as: text}
"""
LINE = "<Line><Name>tea</Name></Line>"
ERROR = b"<Error><Text>no such shop</Text></Error>"


def spec(**response: object) -> ToolSpec:
    return ToolSpec(description="x", response=Response(**response))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("$.Orders.Order[*]", {"Order"}),
        ("$.Orders.Order[0].Line[1:]", {"Order", "Line"}),
        ("$.Order[?@.Line[0].Name == 'x']", {"Order", "Line"}),
        ("$..Order[*]", {"Order"}),
        ("$['Order'][-1]['Name']", {"Order"}),
        ("$.Orders.Order", set()),
        ("$.Orders['a', 'b'].c", {"Orders"}),
        ("$.Orders.*", set()),
        ("$.Orders[", set()),
    ],
)
def test_the_names_that_a_path_takes_elements_out_of(path: str, names: set[str]) -> None:
    assert listed(spec(select=path)) == names


def test_they_are_looked_for_wherever_an_answer_is_read() -> None:
    step = Step(id="a", get="/", response=Response(select="$.S[*]"))
    tool = ToolSpec(
        description="x",
        response=Response(
            map={"a": "$.A[*]", "b": {"path": "$.B[0]", "default": 1}, "c": {"d": "$.D[*]"}}
        ),
        paginate=Paginate(items="$.P[*]", link=True),
        steps=(step,),
    )
    assert listed(tool) == set("ABDPS")


def read(tool: str, body: bytes, status: int = 200) -> ToolResult:
    loaded = load(FILE, "shop.yaml", environ={}, redactor=Redactor())
    answer = HttpResponse(status, {"content-type": "text/xml"}, body)
    found = loaded.tools[f"{tool}"].tool.read({}, answer)
    assert isinstance(found, ToolResult)
    return found


def test_a_path_that_would_find_nothing_in_a_list_is_warned_of() -> None:
    assert torn(spec(select="$.Orders.Order[*]", map={"x": "$.Line[0].Name"})) == []
    assert torn(spec(map={"all": "$.Orders.Order[*].id", "first": "$.Orders.Order.id"})) == [
        "Order"
    ]
    file = FILE.replace(b'first: "$.Line[0].Name"', b"first: $.Line.Name")
    loaded = load(file, "shop.yaml", environ={}, redactor=Redactor())
    (warned,) = loaded.issues
    assert warned.path == "tools.orders.response"
    assert warned.message.startswith("'Line' is a list")


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_none_one_and_many_are_read_by_one_path(count: int) -> None:
    order = f'<Order id="7">{LINE * count}</Order>'
    body = f"<Orders>{order * count}</Orders>".encode()
    first = {"first": "tea"} if count else {}
    found = json.loads(read("orders", body).structured or b"")
    assert found == [{"id": "7", **first, "lines": ["tea"] * count}] * count


@pytest.mark.parametrize("tool", ["orders", "receipt"])
def test_an_error_is_read_by_its_own_type_whatever_the_tool_reads(tool: str) -> None:
    with pytest.raises(UpstreamFailed, match="It says: no such shop"):
        read(tool, ERROR, status=404)
