"""`get: /path`, `query:`, `headers:` and a body, compiled once → the HttpRequest of each call.

What all tools of a file share is compiled in `shared.py`. Rendering raises `Refused` (which is an
InvalidArguments with a `position`) when a value cannot stand where it should, and
BackendUnavailable when a secret is missing. It leaves `auth` out, because caches, examples and logs
look at the request without it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from gateway.capability.expressions.escape import LONGEST_URL, header_name_problem
from gateway.capability.expressions.language import Names, Position, Scope
from gateway.capability.expressions.place import UNREAD, Key, Place
from gateway.capability.expressions.values import RenderError, refused
from gateway.capability.file.checks import method_of
from gateway.capability.file.model import METHODS, As, RequestSpec
from gateway.capability.sending.bodies import Body, FormBody, compile_body
from gateway.capability.sending.followed import BEGINS, Followed, compile_followed
from gateway.capability.sending.multipart import Field, MultipartBody, type_problem, with_boundary
from gateway.capability.sending.pairs import Pair, Spliced, compile_pairs, encoded
from gateway.capability.sending.request_headers import (
    Header,
    HeaderTemplate,
    compile_headers,
    overlaid,
)
from gateway.capability.sending.shared import SecretScope, Shared
from gateway.capability.sending.tree import SPLICE
from gateway.capability.sending.url_path import PathTemplate, compile_path
from gateway.credentials.secret import Secrets
from gateway.http.message import HttpRequest
from gateway.version import __version__

Arguments = Mapping[str, Mapping[str, Any]]  # name → its schema

NOTHING: Scope = MappingProxyType({})

_ACCEPT = {
    "text": "text/*, */*;q=0.5",
    "json": "application/json",
    "xml": "application/xml, text/xml, */*;q=0.5",
    "binary": "*/*",
    "sse": "text/event-stream",
    "ndjson": "application/x-ndjson, */*;q=0.5",
}
_ACCEPT_ANY = "application/json, */*;q=0.5"


class RequestTemplate:
    """`uses` are the arguments it reads; `route` is what logs show: `GET https://h/repos/{owner}`."""

    def __init__(self, method: str, parts: "_Parts", shared: Shared, args: Arguments) -> None:
        self.method = method.upper()
        self._base = "" if isinstance(parts.path, Followed) else shared.base
        self.route = f"{self.method} {self._base}{parts.path.shape}"
        self.uses = used(parts.place.reads, args)
        self._shared = shared
        self._parts = parts
        self._rest = _rest(parts.place.reads, args)

    def render(
        self, args: Mapping[str, Any], secrets: Secrets | None = None, more: Scope = NOTHING
    ) -> HttpRequest:
        """The request, without `auth`. `secrets` stands in for the file's own, in examples.

        `more` are names beside `args`, such as `steps`. Raises Refused and BackendUnavailable.
        """
        shared, parts = self._shared, self._parts
        scope: dict[str, Any] = {
            "args": args,
            "vars": shared.vars,
            "secrets": SecretScope(secrets) if secrets else shared.secrets,
            **more,
        }
        if self._rest is not None:
            scope["rest"] = {name: args[name] for name in self._rest if name in args}
        headers = parts.headers.render(scope)
        if parts.idempotency_key:
            headers = (*headers, (parts.idempotency_key, str(uuid4())))
        body = parts.body.render(scope) if parts.body else None
        if parts.multipart:
            headers = with_boundary(headers, body)
        return HttpRequest(self.method, self._url(scope), headers, body, self.route)

    def _url(self, scope: Scope) -> str:
        url = self._base + self._parts.path.render(scope)
        query = encoded(self._parts.query, scope)
        if query:
            url = with_query(url, query)
        if len(url) > LONGEST_URL:
            raise refused("url", RenderError(f"{len(url)} characters are too long", "size"))
        return url


def with_query(url: str, query: str) -> str:
    """Pairs, encoded, behind those that it has."""
    if "?" not in url:
        return f"{url}?{query}"
    return f"{url}{query}" if url.endswith(("?", "&")) else f"{url}&{query}"


class _Parts:
    """The parts of one request, compiled."""

    def __init__(self, asked: "Asked", method: str, shared: Shared, place: Place) -> None:
        spec, args = asked.spec, asked.args
        self.place = place
        self.idempotency_key = asked.idempotency_key
        self.path = _path(method, asked, shared, place)
        self.body: Body | None = compile_body(spec, args, place)
        own = compile_headers(spec.headers, place.at("headers"), shared.auth_headers)
        headers = overlaid(shared.headers, own)
        _check_idempotency_key(asked.idempotency_key, headers, shared, place)
        defaults = _defaults(asked.accept, self.body, place, shared.auth_headers)
        self.headers = HeaderTemplate(overlaid(defaults, headers))
        pairs = compile_pairs(spec.query, place.at("query"), Position.QUERY)
        if isinstance(self.body, FormBody):
            _check_names(self.body.pairs, args, place.at("form"))
        self.multipart = isinstance(self.body, MultipartBody)
        if isinstance(self.body, MultipartBody):
            _check_names(self.body.fields, args, place.at("multipart"))
            _check_multipart_type(headers, place.at("headers"))
        sent = _check_names(pairs, args, place.at("query"))
        for name in sorted(sent & shared.auth_query):
            place.at("query").fault(f"query {name!r} is set by auth", "rename or remove it")
        # what an API gives is whole: the file's own pairs are in it, or not wanted
        defaults_too = () if isinstance(self.path, Followed) else shared.pairs
        self.query = [pair for pair in defaults_too if _name(pair) not in sent] + pairs
        _check_overruled(spec.json, args, place.at("json"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request is compiled of: its keys in the file, and what its tool says for it.

    `names` can be read beside `args`, `vars` and `secrets`. `wanted` is how the answer is read.
    """

    spec: RequestSpec
    args: Arguments = field(default_factory=dict)
    names: Names = field(default_factory=dict)
    wanted: As = "auto"
    idempotency_key: str | None = None

    @property
    def accept(self) -> str:
        return _ACCEPT.get(self.wanted, _ACCEPT_ANY)


def compile_request(asked: Asked, shared: Shared, path: tuple[Key, ...]) -> RequestTemplate:
    """The request at `path` (`("tools", name)`); faults go to `shared.report`.

    That it has one method and at most one body is known by then: `checks.py`.
    """
    names = {"args": asked.args, "rest": (), **shared.names, **asked.names}
    place = Place(path, names, shared.report)
    method = method_of(asked.spec) or METHODS[0]
    return RequestTemplate(method, _Parts(asked, method, shared, place), shared, asked.args)


def _path(method: str, asked: Asked, shared: Shared, place: Place) -> PathTemplate | Followed:
    inner = Place((*place.path, method), place.names, place.report)
    source = getattr(asked.spec, method)
    if source is not None and source.startswith(BEGINS) and "steps" in asked.names:
        followed = compile_followed(source, inner, shared.base, shared.auth_query)
        place.reads.update(inner.reads)
        return followed or PathTemplate(("/",))
    found = compile_path("/" if source is None else source, inner)
    place.reads.update(inner.reads)
    for read in sorted(inner.reads):
        if read in {("args",), ("rest",)}:
            inner.fault(f"{read[0]!r} as a whole cannot stand in a path", "write args.name")
        elif read[0] == "args" and not _always_given(asked.args[read[1]]):
            inner.fault(
                f"args.{read[1]} stands in the path, so it must always be there",
                "give it 'required: true' or a 'default'",
            )
    return found


def _always_given(schema: Mapping[str, Any]) -> bool:
    return schema.get("required") is True or "default" in schema


def _defaults(accept: str, body: Body | None, place: Place, taken: Collection[str]) -> list[Header]:
    """The headers that are sent when nobody says otherwise."""
    given = {"User-Agent": f"capgate/{__version__}", "Accept": accept}
    if body:
        given["Content-Type"] = body.content_type
    return [
        Header(name, value, place) for name, value in given.items() if name.lower() not in taken
    ]


def _check_idempotency_key(
    name: str | None, headers: list[Header], shared: Shared, place: Place
) -> None:
    if name is None:
        return
    problem = header_name_problem(name)
    if name.lower() in {each.name.lower() for each in headers} | shared.auth_headers:
        problem = f"header {name!r} is set elsewhere"
    if problem:
        place.at("idempotency_key").fault(problem, "such as Idempotency-Key")


def _check_multipart_type(headers: list[Header], place: Place) -> None:
    for header in headers:
        problem = type_problem(header.static) if header.name.lower() == "content-type" else None
        if problem:
            place.at(header.name).fault(problem, "remove it, or write such as multipart/related")


def _check_names(pairs: Sequence[Pair | Field], args: Arguments, place: Place) -> frozenset[str]:
    """All names these pairs can send; one that a splice sends as well is a fault."""
    spliced: set[str] = set()
    for pair in pairs:
        if isinstance(pair, Spliced):
            rest = _rest(place.reads, args) or ()
            spliced.update(rest if pair.root == "rest" else args)
    named = [pair.name for pair in pairs if not isinstance(pair, Spliced)]
    for name in named:
        if name in spliced:
            place.at(name).fault(f"{name!r} is sent twice: here and by '...'", "remove one")
    return frozenset({*spliced, *named})


def _check_overruled(value: Any, args: Arguments, place: Place) -> None:
    """In JSON a name beside a splice overrules it: an argument that nothing else sends is lost."""
    if not isinstance(value, (dict, list)):
        return
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        _check_overruled(each, args, place.at(key))
        if SPLICE in value and key in args and ("args", key) not in place.reads:
            place.at(key).fault(f"args.{key} would be dropped for this", "rename or remove one")


def _name(pair: Pair) -> str | None:
    return None if isinstance(pair, Spliced) else pair.name


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
