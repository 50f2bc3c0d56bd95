"""Security schemes and requirements -> `auth:` and `secrets:`.

The rule: a credential is never in the document; what is written names an environment variable.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from gateway.capability.expressions.escape import header_name_problem
from gateway.credentials.aws_sigv4 import signer
from gateway.importers.names import snake
from gateway.importers.openapi.document import Document
from gateway.importers.openapi.model import Credential

MACHINE_FLOWS = ("clientCredentials", "application")
_REGION = re.compile(r"\b(?:us|eu|ap|sa|ca|me|af|cn)-[a-z]+-[1-9]\b")
_AWS = re.compile(r"aws_?sigv?4|amazon signature authorization v4", re.IGNORECASE)


class Security:
    """`root` has the document's default requirement; schemes are looked up by name."""

    def __init__(self, document: Document) -> None:
        self._document = document
        components = document.mapping(document.root.get("components"))
        given = components.get("securitySchemes") or document.root.get("securityDefinitions")
        self._schemes = document.mapping(given)
        self._known: dict[str, Credential | None] = {}

    def keys(self) -> frozenset[tuple[str, str]]:
        """Place and name, in small letters, of all that are API keys."""
        schemes = [self._document.mapping(node) for node in self._schemes.values()]
        return frozenset(
            (str(scheme.get("in")), str(scheme.get("name")).lower())
            for scheme in schemes
            if str(scheme.get("type")).lower() == "apikey"
        )

    def of(self, operation: Mapping[str, Any]) -> tuple[Credential, ...]:
        """The alternatives, the document's order kept; an empty one means that none is needed."""
        given = operation.get("security", self._document.root.get("security"))
        listed = self._document.listed(given)
        found = [self._together(each) for each in listed if isinstance(each, Mapping)]
        usable = [each for each in found if each is not None]
        if found and not usable:
            return (Credential(notes=("its authorization cannot be written here: add auth:",)),)
        return tuple(usable)

    def _together(self, requirement: Mapping[str, Any]) -> Credential | None:
        """All schemes of one requirement, or None when one of them cannot be said."""
        whole = Credential()
        for name, scopes in requirement.items():
            part = self._scheme(str(name))
            if part is None:
                return None
            wanted = tuple(scope for scope in scopes or () if isinstance(scope, str))
            joined = together(whole, replace(part, scopes=wanted))
            if joined is None:
                both = "two of its credentials need one header: only the first is sent"
                joined = replace(whole, notes=(*whole.notes, both))
            whole = joined
        return whole

    def _scheme(self, name: str) -> Credential | None:
        if name not in self._known:
            scheme = self._document.mapping(self._schemes.get(name))
            self._known[name] = self._read(name, scheme) if scheme else None
        return self._known[name]

    def _read(self, name: str, scheme: Mapping[str, Any]) -> Credential | None:
        if _AWS.search(f"{scheme.get('x-amazon-apigateway-authtype')} {scheme.get('description')}"):
            return self._aws()
        match str(scheme.get("type", "")).lower():
            case "apikey":
                return api_key(name, scheme)
            case "basic":
                return _pair("basic")
            case "http":
                return _http(scheme)
            case "oauth2":
                return self._oauth2(scheme)
            case "openidconnect":
                return _bearer(("OpenID Connect: the token comes from the environment",))
            case _:
                return None

    def _oauth2(self, scheme: Mapping[str, Any]) -> Credential:
        flows = self._document.mapping(scheme.get("flows"))
        if not flows and isinstance(scheme.get("flow"), str):
            flows = {scheme["flow"]: scheme}
        for kind in MACHINE_FLOWS:
            url = self._address(self._document.mapping(flows.get(kind)).get("tokenUrl"))
            if url:
                settings = {
                    "grant": "client_credentials",
                    "token_url": url,
                    "client_id": "{{ secrets.client_id }}",
                    "client_secret": "{{ secrets.client_secret }}",
                }
                secrets = {"client_id": "CLIENT_ID", "client_secret": "CLIENT_SECRET"}
                return Credential({"oauth2": settings}, secrets=secrets)
        told = ", ".join(sorted(str(kind)[:40] for kind in flows)) or "OAuth 2.0"
        return _bearer((f"{told}: a person gets the token, which comes from the environment",))

    def _aws(self) -> Credential:
        if not signer():
            text = "requests are signed as AWS asks: install capgate[aws] and import again"
            return Credential(notes=(text,))
        servers = self._document.listed(self._document.root.get("servers"))
        urls = " ".join(str(self._document.mapping(server)) for server in servers[:4])
        region = _REGION.search(urls)
        info = self._document.mapping(self._document.root.get("info"))
        service = snake(str(info.get("x-serviceName") or "execute-api")).replace("_", "-")
        settings = {
            "service": service or "execute-api",
            "region": region[0] if region else "us-east-1",
            "access_key": "{{ secrets.access_key }}",
            "secret_key": "{{ secrets.secret_key }}",
        }
        secrets = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY"}
        notes = ("requests are signed for the region in auth: base_url has to be of the same",)
        return Credential({"aws_sigv4": settings}, secrets=secrets, notes=notes)

    def _address(self, url: Any) -> str | None:
        if not isinstance(url, str) or "{" in url or not url.isprintable():
            return None
        whole = urljoin(self._document.source.url or "", url.strip())
        parts = urlsplit(whole)
        return whole if parts.scheme == "https" and parts.hostname and "@" not in whole else None


def api_key(name: str, scheme: Mapping[str, Any]) -> Credential | None:
    wire, place = scheme.get("name"), scheme.get("in")
    if not isinstance(wire, str) or not wire or "{" in wire or not wire.isprintable():
        return None
    secret = snake(wire).removeprefix("x_") or snake(name) or "key"
    secret = secret if secret[:1].isalpha() else f"key_{secret}"
    text = f"{{{{ secrets.{secret} }}}}"
    secrets = {secret: secret.upper()}
    if place == "query":
        return Credential({"query": {wire: text}}, secrets=secrets)
    if place == "cookie":
        wire, text = "Cookie", f"{wire}={text}"
    elif place != "header" or header_name_problem(wire):
        return None
    return Credential({"header": {wire: text}}, secrets=secrets)


def _http(scheme: Mapping[str, Any]) -> Credential:
    match str(scheme.get("scheme", "")).lower():
        case "basic":
            return _pair("basic")
        case "digest":
            return _pair("digest")
        case "bearer":
            return _bearer()
        case other:
            note = (
                f"HTTP authentication {other[:40]!r}: the whole header comes from the environment"
            )
            text = "{{ secrets.authorization }}"
            secrets = {"authorization": "AUTHORIZATION"}
            return Credential({"header": {"Authorization": text}}, secrets=secrets, notes=(note,))


def _pair(kind: str) -> Credential:
    pair = {"username": "{{ secrets.username }}", "password": "{{ secrets.password }}"}
    return Credential({kind: pair}, secrets={"username": "USERNAME", "password": "PASSWORD"})


def _bearer(notes: tuple[str, ...] = ()) -> Credential:
    text = "{{ secrets.token }}"
    return Credential({"bearer": text}, secrets={"token": "TOKEN"}, notes=notes)


def together(one: Credential, other: Credential) -> Credential | None:
    """Both at once: keys of one place side by side, a second place as the file's own header or
    query. None when two of them need the same header.
    """
    secrets = {**one.secrets, **other.secrets}
    scopes = tuple(dict.fromkeys((*one.scopes, *other.scopes)))
    notes = tuple(dict.fromkeys((*one.notes, *other.notes)))
    both = replace(one, secrets=secrets, scopes=scopes, notes=notes)
    if not one.auth or not other.auth or one.auth == other.auth:
        return replace(both, auth=one.auth or other.auth)
    main, beside = (one.auth, other.auth) if _kind(other.auth) else (other.auth, one.auth)
    place = _kind(beside)
    if place is None:
        return None
    pairs = beside[place]
    if _kind(main) == place:
        return replace(both, auth={place: {**main[place], **pairs}})
    if place == "header":
        if any(name.lower() == "authorization" for name in pairs):
            return None
        return replace(both, auth=main, headers={**one.headers, **pairs})
    return replace(both, auth=main, query={**one.query, **pairs})


def _kind(auth: Mapping[str, Any]) -> str | None:
    """`header` or `query` of an API key; None for a kind that stands alone."""
    return next((key for key in ("header", "query") if key in auth), None)
