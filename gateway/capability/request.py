"""`get: /path`, `query:`, `headers:` and a body, compiled once → the HttpRequest of each call.

What all tools of a file share is compiled in `shared.py`. Rendering raises `Refused` (which is an
InvalidArguments with a `position`) when a value cannot stand where it should, and
BackendUnavailable when a secret is missing. It leaves `auth` out: `authorised` adds it, because
caches, examples and logs look at the request without it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import uuid4

from gateway import __version__
from gateway.capability.bodies import Body, FormBody, compile_body
from gateway.capability.checks import method_of
from gateway.capability.escape import header_name_problem, query_text
from gateway.capability.language import Position, Scope
from gateway.capability.model import METHODS, ToolSpec
from gateway.capability.pairs import Named, Pair, Spliced, compile_pairs, encoded
from gateway.capability.place import UNREAD, Place
from gateway.capability.request_headers import Header, HeaderTemplate, compile_headers, overlaid
from gateway.capability.shared import SecretScope, Shared
from gateway.capability.tree import SPLICE
from gateway.capability.url_path import PathTemplate, compile_path
from gateway.capability.values import RenderError, refused
from gateway.credentials.secret import Secrets
from gateway.http.message import HttpRequest

LONGEST_URL = 64 * 1024  # characters; no server takes more

_ACCEPT = {"text": "text/*, */*;q=0.5", "json": "application/json"}
_ACCEPT_ANY = "application/json, */*;q=0.5"


class RequestTemplate:
    """`uses` are the arguments it reads; `route` is what logs show: `GET https://h/repos/{owner}`."""

    def __init__(self, method: str, parts: "_Parts", shared: Shared, spec: ToolSpec) -> None:
        self.method = method.upper()
        self.route = f"{self.method} {shared.base}{parts.path.shape}"
        self.uses = used(parts.place.reads, spec.args)
        self._base = shared.base
        self._shared = shared
        self._parts = parts
        self._rest = _rest(parts.place.reads, spec.args)
        self._idempotency_key = spec.idempotency_key

    def render(self, args: Mapping[str, Any], secrets: Secrets | None = None) -> HttpRequest:
        """The request, without `auth`. `secrets` stands in for the file's own, in examples.

        Raises Refused and BackendUnavailable.
        """
        shared, parts = self._shared, self._parts
        scope: dict[str, Any] = {
            "args": args,
            "vars": shared.vars,
            "secrets": SecretScope(secrets) if secrets else shared.secrets,
        }
        if self._rest is not None:
            scope["rest"] = {name: args[name] for name in self._rest if name in args}
        headers = parts.headers.render(scope)
        if self._idempotency_key:
            headers = (*headers, (self._idempotency_key, str(uuid4())))
        body = parts.body.render(scope) if parts.body else None
        return HttpRequest(self.method, self._url(scope), headers, body, self.route)

    def authorised(self, request: HttpRequest) -> HttpRequest:
        """`request` with the credential of this moment. Raises BackendUnavailable."""
        credential = self._shared.credential
        if credential is None:
            return request
        url = request.url
        for name, value in credential.query():
            url += f"{'&' if '?' in url else '?'}{query_text(name)}={query_text(value)}"
        headers = (*request.headers, *credential.headers())
        return HttpRequest(request.method, url, headers, request.body, request.route)

    def _url(self, scope: Scope) -> str:
        url = self._base + self._parts.path.render(scope)
        query = encoded(self._parts.query, scope)
        if query:
            url = f"{url}?{query}"
        if len(url) > LONGEST_URL:
            raise refused("url", RenderError(f"{len(url)} characters are too long", "size"))
        return url


class _Parts:
    """The parts of one tool's request, compiled."""

    def __init__(self, spec: ToolSpec, method: str, shared: Shared, place: Place) -> None:
        self.place = place
        self.path = _path(method, spec, place)
        self.body: Body | None = compile_body(spec, place)
        own = compile_headers(spec.headers, place.at("headers"), shared.auth_headers)
        headers = overlaid(shared.headers, own)
        _check_idempotency_key(spec, headers, shared, place)
        defaults = _defaults(spec, self.body, place, shared.auth_headers)
        self.headers = HeaderTemplate(overlaid(defaults, headers))
        pairs = compile_pairs(spec.query, place.at("query"), Position.QUERY)
        if isinstance(self.body, FormBody):
            _check_names(self.body.pairs, spec, place.at("form"))
        sent = _check_names(pairs, spec, place.at("query"))
        for name in sorted(sent & shared.auth_query):
            place.at("query").fault(f"query {name!r} is set by auth", "rename or remove it")
        self.query = [pair for pair in shared.pairs if _name(pair) not in sent] + pairs
        _check_overruled(spec.json, spec, place.at("json"))


def compile_request(spec: ToolSpec, shared: Shared, path: tuple[str, ...]) -> RequestTemplate:
    """The request of the tool at `path` (`("tools", name)`); faults go to `shared.report`.

    That it has one method and at most one body is known by then: `checks.py`.
    """
    names = {"args": spec.args, "rest": (), **shared.names}
    place = Place(path, names, shared.report)
    method = method_of(spec) or METHODS[0]
    return RequestTemplate(method, _Parts(spec, method, shared, place), shared, spec)


def _path(method: str, spec: ToolSpec, place: Place) -> PathTemplate:
    inner = Place((*place.path, method), place.names, place.report)
    source = getattr(spec, method)
    found = compile_path("/" if source is None else source, inner)
    place.reads.update(inner.reads)
    for read in sorted(inner.reads):
        if read in {("args",), ("rest",)}:
            inner.fault(f"{read[0]!r} as a whole cannot stand in a path", "write args.name")
        elif read[0] == "args" and not _always_given(spec.args[read[1]]):
            inner.fault(
                f"args.{read[1]} stands in the path, so it must always be there",
                "give it 'required: true' or a 'default'",
            )
    return found


def _always_given(schema: Mapping[str, Any]) -> bool:
    return schema.get("required") is True or "default" in schema


def _defaults(
    spec: ToolSpec, body: Body | None, place: Place, taken: Collection[str]
) -> list[Header]:
    """The headers that are sent when nobody says otherwise."""
    wanted = spec.response.as_ if spec.response else "auto"
    given = {"User-Agent": f"capgate/{__version__}", "Accept": _ACCEPT.get(wanted, _ACCEPT_ANY)}
    if body:
        given["Content-Type"] = body.content_type
    return [
        Header(name, value, place) for name, value in given.items() if name.lower() not in taken
    ]


def _check_idempotency_key(
    spec: ToolSpec, headers: list[Header], shared: Shared, place: Place
) -> None:
    name = spec.idempotency_key
    if name is None:
        return
    problem = header_name_problem(name)
    if name.lower() in {each.name.lower() for each in headers} | shared.auth_headers:
        problem = f"header {name!r} is set elsewhere"
    if problem:
        place.at("idempotency_key").fault(problem, "such as Idempotency-Key")


def _check_names(pairs: Sequence[Pair], spec: ToolSpec, place: Place) -> frozenset[str]:
    """All names these pairs can send; one that a splice sends as well is a fault."""
    spliced: set[str] = set()
    for pair in pairs:
        if isinstance(pair, Spliced):
            rest = _rest(place.reads, spec.args) or ()
            spliced.update(rest if pair.root == "rest" else spec.args)
    named = [pair.name for pair in pairs if isinstance(pair, Named)]
    for name in named:
        if name in spliced:
            place.at(name).fault(f"{name!r} is sent twice: here and by '...'", "remove one")
    return frozenset({*spliced, *named})


def _check_overruled(value: Any, spec: ToolSpec, place: Place) -> None:
    """In JSON a name beside a splice overrules it: an argument that nothing else sends is lost."""
    if not isinstance(value, (dict, list)):
        return
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        _check_overruled(each, spec, place.at(key))
        if SPLICE in value and key in spec.args and ("args", key) not in place.reads:
            place.at(key).fault(f"args.{key} would be dropped for this", "rename or remove one")


def _name(pair: Pair) -> str | None:
    return pair.name if isinstance(pair, Named) else None


def _rest(reads: Collection[tuple[str, ...]], args: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The arguments that the request does not name; None when nothing asks for them."""
    if ("rest",) not in reads:
        return None
    return tuple(name for name in args if ("args", name) not in reads)


def used(reads: Collection[tuple[str, ...]], args: Mapping[str, Any]) -> frozenset[str]:
    """Which of `args` are among the reads; all, where that cannot be told."""
    if not {("args",), ("rest",), UNREAD}.isdisjoint(reads):
        return frozenset(args)
    return frozenset(read[1] for read in reads if read[0] == "args")
