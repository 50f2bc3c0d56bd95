"""The laws of the house that no linter holds."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import errors

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "gateway").rglob("*.py"))
CATCH_ALL = {
    "server/endpoint.py",  # the last guard: a fault of ours costs one request
    "server/connection.py",  # … one answer, or one connection
    "server/entrance.py",  # a fault while somebody is identified is a refusal
    "runtime/shelf.py",  # … one file
    "observe/audit_writer.py",  # … one line of the audit, and tells of itself in its place
    "backends/keeping.py",  # … one attempt to keep a server connected
    "app/serve.py",  # … one run of a background task
}
DEFERRED = {  # imports inside functions: for the start-up time they save, or what a system lacks
    "app/access.py": {"gateway.auth"},
    "observe/metrics.py": {"gateway.observe.exposition"},
    "app/tracing.py": {"gateway.observe.otel"},
    "capability/expressions/path_walk.py": {"jsonpath_ng.ext.parser"},
    "capability/expressions/template.py": {"gateway.capability.expressions"},
    "importers/compat.py": {"gateway.importers.fulcrum"},
    "server/descriptors.py": {"resource"},
    "transports/websocket.py": {"gateway.transports.websocket_conversation"},
    "credentials/oauth/token_endpoint.py": {"gateway.credentials.oauth"},
    "credentials/means.py": {
        "gateway.credentials.oauth.shared_token",
        "gateway.credentials.oauth",
    },
    "credentials/aws_sigv4.py": {"botocore"},
    "credentials/keyring_entry.py": {"keyring", "keyring.errors"},
    "credentials/opening.py": {"gateway.credentials"},
    "credentials/backend_auth.py": {
        "gateway.credentials.oauth.interactive",
        "gateway.credentials.oauth.client_credentials",
    },
}


def inner_imports(tree: ast.Module) -> Iterator[str]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom):
                    yield node.module or "."
                elif isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_and_imports_at_its_top(path: Path) -> None:
    tree = ast.parse(path.read_text())
    if tree.body:
        assert ast.get_docstring(tree), "a module opens with one sentence that is true of it"
    place = str(path.relative_to(ROOT / "gateway"))
    assert set(inner_imports(tree)) <= DEFERRED.get(place, set())


def all_errors(kind: type[errors.GatewayError]) -> Iterator[type[errors.GatewayError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from all_errors(each)


def test_every_error_code_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    codes = {kind.code for kind in all_errors(errors.GatewayError)}
    assert sorted(code for code in codes if f"`{code}`" not in text) == []


def test_every_log_event_is_documented() -> None:
    event = re.compile(r"\blog(?:ger)?\.\w+\((?:level, )?\"(\w+)\"")
    found = {name for path in SOURCES for name in event.findall(path.read_text())}
    assert "reloaded" in found
    text = (ROOT / "docs" / "operations.md").read_text()
    assert sorted(name for name in found if f"`{name}`" not in text) == []


@pytest.mark.parametrize(
    ("what", "where"),
    [
        (r"except Exception\b", CATCH_ALL),
        (r"\bos\.environ\b", {"credentials/secret.py"}),
    ],
)
def test_some_things_stand_where_the_house_allows_them(what: str, where: set[str]) -> None:
    found = {
        str(path.relative_to(ROOT / "gateway"))
        for path in SOURCES
        if re.search(what, path.read_text(), re.MULTILINE)
    }
    assert found == where


def test_there_is_no_class_called_gateway() -> None:
    found = [
        path for path in SOURCES if re.search(r"^class Gateway\b", path.read_text(), re.MULTILINE)
    ]
    assert found == []


def test_only_the_reconciler_swaps_the_snapshot() -> None:
    found = {path.name for path in SOURCES if re.search(r"\.swap\(", path.read_text())}
    assert found == {"reconcile.py"}


def test_only_the_view_takes_the_road_to_a_backend() -> None:
    road = re.compile(r"\.(routes|queries)(\[|\.get\()")
    found = {path.name for path in SOURCES if road.search(path.read_text())}
    assert found == {"view.py", "hearing.py"}, "hearing.py compares them, and calls none"


def test_the_lock_files_name_no_index() -> None:
    for path in ROOT.glob("requirements*.lock"):
        assert "://" not in path.read_text()
