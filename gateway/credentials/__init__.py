"""What we show to a REST API: one file a family of kinds, and the union of them all."""

from gateway.credentials.base import Credential, Rendered
from gateway.credentials.static import Basic
from gateway.credentials.union import Auth

__all__ = ["Auth", "Basic", "Credential", "Rendered"]
