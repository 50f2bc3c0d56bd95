"""Makes what writes down each request, where the operator wants that, and ends it."""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from pathlib import Path

from gateway.config.auditing import rotation
from gateway.config.load import STANDARD_OUTPUT
from gateway.config.observing import Audit as Settings
from gateway.credentials.redact import Redactor
from gateway.domain.events import Observer
from gateway.errors import ConfigError
from gateway.observe.audit import Audit
from gateway.observe.audit_append import Sink, Stream
from gateway.observe.audit_file import File
from gateway.observe.audit_line import Rendering
from gateway.observe.audit_redaction import Rules
from gateway.observe.audit_writer import Writer

log = logging.getLogger(__name__)

CLOSING = 2.0  # seconds that the last lines may take
OUTPUT, ERRORS = 1, 2  # descriptors


class Recording:
    """The observers there are, and what a request passes before it is carried out. `audit` None:
    nobody wants it.

    `command`: for a command of the command line, which begins when it calls something, and whose
    standard output is its answer. Raises ConfigError where nothing may be done unwritten and
    nothing can be written.
    """

    def __init__(self, settings: Settings, redactor: Redactor, *, command: bool = False) -> None:
        self._settings = settings
        self._closed = settings.on_failure == "fail_closed"
        self._begun = False
        self.audit = made(settings, redactor, command=command) if settings.enabled else None
        if self.audit is not None and not command:
            self._begin(self.audit)

    @property
    def written(self) -> int:
        """Lines, since the start."""
        return 0 if self.audit is None else self.audit.written

    @property
    def dropped(self) -> Mapping[str, int]:
        """Lines that are lost, by the reason."""
        return {} if self.audit is None else self.audit.dropped

    @property
    def failing(self) -> str | None:
        """Why nothing can be written just now."""
        return None if self.audit is None else self.audit.failing

    @property
    def observers(self) -> tuple[Observer, ...]:
        return () if self.audit is None else (self.audit,)

    def recorded(self) -> None:
        """Raises AuditUnavailable, or ConfigError the first time."""
        if self.audit is None:
            return
        if not self._begun:
            self._begin(self.audit)
        if self._closed:
            self.audit.recorded()

    async def aclose(self) -> None:
        """Nothing is told any more: what was is on the disk now."""
        if self.audit is None:
            return
        lost = await asyncio.to_thread(self.audit.close, CLOSING)
        if lost:
            log.error("audit_lines_lost", extra={"file": self._settings.file, "lines": lost})

    def _begin(self, audit: Audit) -> None:
        self._begun = True
        reason = audit.start()
        if reason is None:
            return
        file = self._settings.file
        if self._closed:
            text = f"audit.file: {file} cannot be written: {reason}"
            hint = "nothing may be done unwritten: audit.on_failure is fail_closed"
            raise ConfigError(f"{text}\n  hint: {hint}")
        log.error("audit_failed", extra={"file": file, "reason": reason})


def made(settings: Settings, redactor: Redactor, *, command: bool) -> Audit:
    longest = settings.longest_argument
    rules = Rules(settings.redact)
    rendering = Rendering(secrets.token_hex(4), redactor, rules, longest)
    writer = Writer(rendering, _sink(settings, command=command))
    return Audit(writer, longest if settings.arguments else None)


def _sink(settings: Settings, *, command: bool) -> Sink:
    if settings.file == STANDARD_OUTPUT:
        return Stream(ERRORS if command else OUTPUT)
    return File(Path(settings.file), rotation(settings), sync=settings.sync)
