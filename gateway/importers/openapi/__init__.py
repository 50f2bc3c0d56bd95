"""OpenAPI 2.0, 3.0 and 3.1 -> capability files.

Read (`document`), reduced to one model for all versions (`reader`), chosen and grouped, each
operation expressed as a tool (`tool`), written, and proven to load (`importers/proving`).
"""

from gateway.importers.openapi.choosing import Options
from gateway.importers.openapi.document import Source
from gateway.importers.openapi.importing import import_openapi

__all__ = ["Options", "Source", "import_openapi"]
