"""How a client proves itself by a key instead of a secret: `private_key_jwt` (RFC 7523)."""

import secrets

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFE = 60  # seconds

_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}

Key = ECKey | RSAKey


def load(pem: str) -> Key:
    """A private key in PEM. Raises ValueError, which shows nothing of it."""
    for kind in (ECKey, RSAKey):
        try:
            key = kind.import_key(pem)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
        if key.is_private:
            return key
    raise ValueError("the private key is no PEM of an EC or RSA key")


def assertion(key: Key, client_id: str, audience: str, now: float, key_id: str | None) -> str:
    """A signed assertion, good for one request."""
    algorithm = "RS256"
    if isinstance(key, ECKey):
        algorithm = _CURVES.get(str(key.curve_name), "ES256")
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": int(now),
        "exp": int(now) + LIFE,
    }
    header = {"alg": algorithm, **({"kid": key_id} if key_id else {})}
    return jwt.encode(header, claims, key, algorithms=[algorithm])
