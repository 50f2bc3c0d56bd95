"""`auth: {session: {login: …}}`: its request, compiled as any other, and what reads its answer."""

import copy
from collections.abc import Callable
from dataclasses import replace

from gateway.capability.answers.decode import Answer
from gateway.capability.expressions.path import Path, compile_path
from gateway.capability.expressions.place import Place
from gateway.capability.expressions.values import to_text
from gateway.capability.file import units
from gateway.capability.file.model import Capability, RequestSpec
from gateway.capability.sending.request import Asked, compile_request
from gateway.capability.sending.shared import Shared
from gateway.credentials import Auth
from gateway.credentials.session import Session
from gateway.credentials.union import AuthPlan
from gateway.errors import ConfigError
from gateway.http.message import HttpRequest, HttpResponse

PATH = ("auth", "session")


def with_login(capability: Capability, shared: Shared) -> AuthPlan | None:
    """The file's `auth`, whole. Faults go to `shared.report`."""
    auth = capability.auth
    session = auth.session if isinstance(auth, Auth) else None
    if session is None or session.login is None:
        return shared.auth
    request = _request(session, session.login, shared)
    token = _token(session, Place(PATH, {}, shared.report))
    if shared.auth is None:
        return None
    lasts = None if session.expires is None else units.seconds(session.expires)
    return replace(shared.auth, login=request, token=token, lasts=lasts)


def _request(session: Session, login: RequestSpec, shared: Shared) -> Callable[[], HttpRequest]:
    place = Place((*PATH, "login"), {}, shared.report)
    bare = copy.copy(shared)  # no proof is on this request: it may set what the others may not
    own = () if session.basic is None else session.basic.header_names
    bare.auth_headers = frozenset(name.lower() for name in own)
    bare.auth_query = frozenset()
    template = compile_request(Asked(login), bare, place.path)
    return lambda: template.render({})


def _token(session: Session, place: Place) -> Callable[[HttpResponse], str | None] | None:
    if session.token_header is not None:
        name = session.token_header.lower()
        return lambda response: response.headers.get(name)
    if session.token is None:
        return None
    try:
        path = compile_path(session.token)
    except ConfigError as error:
        place.at("token").fault(str(error), error.hint)
        return None
    if not path.singular:
        place.at("token").fault("must name one value", "such as $.access_token")
    return lambda response: _found(path, response)


def _found(path: Path, response: HttpResponse) -> str | None:
    value = path.value(Answer(response).loosely())
    scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    return to_text(value).strip() if scalar else None
