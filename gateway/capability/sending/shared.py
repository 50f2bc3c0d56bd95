"""What all tools of one capability file share: address, default headers and pairs, credential."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.capability.expressions.escape import header_name_problem
from gateway.capability.expressions.language import Names, Position
from gateway.capability.expressions.place import Place, Report
from gateway.capability.expressions.template import Template
from gateway.capability.expressions.values import Absent, RenderError
from gateway.capability.file import base_url
from gateway.capability.file.model import Capability
from gateway.capability.sending.pairs import Pair, compile_pairs
from gateway.capability.sending.request_headers import Header, compile_headers
from gateway.credentials import Auth
from gateway.credentials.base import Rendered, Text
from gateway.credentials.secret import Secrets
from gateway.credentials.union import AuthPlan
from gateway.domain.client import NOTHING
from gateway.errors import BackendUnavailable, Unequipped


class SecretScope(Mapping[str, str]):
    """`secrets` as templates see them: each asked for by name, when it is needed."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def __getitem__(self, name: str) -> str:
        return self._secrets.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Shared:
    """Compiled once a file. Faults are reported; what is faulty is then left empty."""

    def __init__(self, capability: Capability, secrets: Secrets, report: Report) -> None:
        names: Names = {"secrets": capability.secrets, "vars": capability.vars}
        place = Place((), names, report)
        self.report = report
        self.names = names
        self.vars: Mapping[str, Any] = capability.vars
        self.secrets = SecretScope(secrets)
        self.base = _address(capability.base_url, place.at("base_url"))
        auth = capability.auth if isinstance(capability.auth, Auth) else None
        self.auth_headers = frozenset(name.lower() for name in auth.header_names) if auth else _NONE
        self.hidden_headers = self.auth_headers | _told_by_login(auth)
        self.auth_query = frozenset(auth.query_names) if auth else _NONE
        self.inbound = auth.inbound_names if auth else ()
        self.auth = self._auth(auth, place.at("auth")) if auth else None
        self.headers: list[Header] = compile_headers(
            capability.headers, place.at("headers"), self.auth_headers
        )
        self.pairs: list[Pair] = compile_pairs(capability.query, place.at("query"), Position.QUERY)

    def _auth(self, auth: Auth, place: Place) -> AuthPlan | None:
        """None where anything in it is faulty."""
        faults = _Counted(self.report)
        checked = Place(place.path, place.names, faults)
        for each in auth.texts:
            named = Place((*place.path, *each.path), _readable(each, place.names), faults)
            named.template(each.text, Position.HEADER)
        _check_headers(auth, checked)
        if not faults.count:
            for problem in auth.problems(lambda text: self._constant(text, place)):
                checked.at(auth.kind).fault(problem)
        if faults.count:
            return None
        return AuthPlan(auth, lambda text, names=(): self._rendered(text, names, place))

    def _rendered(self, text: str, names: tuple[str, ...], place: Place) -> Rendered:
        known = {**place.names, **dict.fromkeys(names)}
        template = Place(place.path, known, place.report).template(text, Position.HEADER)
        own = {"vars": self.vars, "secrets": self.secrets}
        return lambda more=NOTHING: _present(template, {**own, **more} if more else own)

    def _constant(self, text: str, place: Place) -> str:
        """What reads `vars` alone; empty where it cannot be filled in."""
        found = place.template(text, Position.HEADER)
        try:
            return _present(found, {"vars": self.vars})
        except BackendUnavailable:
            return ""


class _Counted:
    """A report that knows whether there was any fault."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.count = 0

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        self.count += 1
        self._report(*args, **kwargs)


_NONE: frozenset[str] = frozenset()


def _told_by_login(auth: Auth | None) -> frozenset[str]:
    """The header of a login's answer that has the token."""
    name = auth.session.token_header if auth is not None and auth.session is not None else None
    return frozenset({name.lower()}) if name else _NONE


def _address(text: str, place: Place) -> str:
    try:
        return base_url.literal(text)
    except base_url.Refused as error:
        place.fault(str(error), error.hint)
        return ""


def _readable(text: Text, names: Names) -> Names:
    kept = names if text.secret else {name: names[name] for name in names if name != "secrets"}
    return {**kept, **dict.fromkeys(text.names)}


def _check_headers(auth: Auth, place: Place) -> None:
    given = auth.header_names
    for name in given:
        problem = header_name_problem(name)
        if [other.lower() for other in given].count(name.lower()) > 1:
            problem = f"header {name!r} stands here twice"
        if problem:
            place.at(auth.kind, name).fault(problem)


def _present(template: Template, scope: Mapping[str, Any]) -> str:
    try:
        text = template.text(scope)
    except RenderError as error:
        raise Unequipped(
            f"the credential cannot be made: {error}", hint="the operator mends 'auth:'"
        ) from None
    if isinstance(text, Absent):
        raise Unequipped("the credential is empty", hint="the operator mends 'auth:'")
    return text
