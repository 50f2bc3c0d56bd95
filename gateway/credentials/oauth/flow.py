"""One authorization by a person: the page to open, and what may be believed of the answer.

OAuth 2.1 authorization code with PKCE S256, RFC 8707 resource, RFC 9207 issuer. Pure; the wire
format is oauthlib's.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from oauthlib.common import add_params_to_uri
from oauthlib.oauth2 import Client as Pkce

from gateway.credentials.oauth.challenge import scopes
from gateway.credentials.oauth.discovery import PKCE
from gateway.credentials.oauth.metadata import AuthorizationServer
from gateway.credentials.oauth.token import refused
from gateway.errors import BackendUnavailable

VERIFIER_LENGTH = 64
OFFLINE = "offline_access"


def new_state() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Authorization:
    """Asked of `server`, and to be answered by none else."""

    server: AuthorizationServer
    client_id: str
    redirect_uri: str
    resource: str
    scopes: frozenset[str]
    state: str
    verifier: str = field(
        default_factory=lambda: Pkce("").create_code_verifier(VERIFIER_LENGTH), repr=False
    )

    @property
    def url(self) -> str:
        """The page for the person. Its state and challenge are no secrets."""
        params = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "code_challenge": Pkce("").create_code_challenge(self.verifier, PKCE),
            "code_challenge_method": PKCE,
            "resource": self.resource,
            **({"scope": " ".join(sorted(self.scopes))} if self.scopes else {}),
        }
        if OFFLINE in self.scopes:
            params["prompt"] = "consent"  # OpenID Connect section 11 wants it said
        endpoint = self.server.authorization_endpoint or ""
        return str(add_params_to_uri(endpoint, list(params.items())))

    def code(self, answer: Mapping[str, str]) -> str:
        """The code to exchange. Raises BackendUnavailable for any other answer.

        Until `iss` is seen to be right nothing of the answer is used (RFC 9207 section 2.4); the
        comparison is of plain strings.
        """
        told = answer.get("iss")
        needed = self.server.authorization_response_iss_parameter_supported
        if (told is None and needed) or (told is not None and told != self.server.issuer):
            raise BackendUnavailable("the answer came from another authorization server than asked")
        if "error" in answer:
            raise refused(self.server.issuer, answer["error"], 0)
        if not answer.get("code"):
            raise BackendUnavailable("the authorization server's answer has no code")
        return answer["code"]


def choose_scopes(
    configured: tuple[str, ...],
    challenged: frozenset[str],
    supported: tuple[str, ...] | None,
    server: AuthorizationServer,
) -> frozenset[str]:
    """What to ask for at first: the operator's word, else the challenge's, else all that is listed.

    `offline_access` is added where the authorization server knows it, so that tokens renew.
    """
    if configured:
        return frozenset(configured)
    asked = challenged or scopes(" ".join(supported or ()))
    return asked | {OFFLINE} if asked and OFFLINE in server.scopes_supported else asked
