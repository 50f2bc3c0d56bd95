from gateway.server.mirrors import Mirrors

SCHEMA = {"type": "object", "properties": {"r": {"type": "string", "x-mcp-header": "R"}}}
PLAIN = {"type": "object", "properties": {"r": {"type": "string"}}}
INVALID = {"type": "object", "properties": {"r": {"type": "number", "x-mcp-header": "R"}}}
TOOL = ("weather", "now")


def test_a_mirrored_argument_must_agree() -> None:
    mirrors = Mirrors()
    assert mirrors.mismatch(TOOL, SCHEMA, {"r": "eu"}, {"mcp-param-r": "eu"}) is None
    assert mirrors.mismatch(TOOL, SCHEMA, {"r": "eu"}, {"mcp-param-r": "us"}) is not None


def test_a_reloaded_schema_counts_at_once() -> None:
    mirrors = Mirrors()
    assert mirrors.mismatch(TOOL, PLAIN, {"r": "eu"}, {}) is None
    assert mirrors.mismatch(TOOL, SCHEMA, {"r": "eu"}, {}) is not None
    assert mirrors.mismatch(TOOL, PLAIN, {"r": "eu"}, {}) is None


def test_an_invalid_annotation_mirrors_nothing() -> None:
    assert Mirrors().mismatch(TOOL, INVALID, {"r": 1}, {}) is None
