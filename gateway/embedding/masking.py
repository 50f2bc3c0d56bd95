"""Keeps secrets out of the log of a program that embeds the gateway."""

import logging

from gateway.credentials.redact import Redactor

STANDARD = frozenset(logging.makeLogRecord({}).__dict__)


class Masking(logging.Filter):
    """For a handler of the program: it sees records of all loggers, and lets every one pass."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._redactor.text(record.getMessage()), ()
        for key in record.__dict__.keys() - STANDARD:
            value = record.__dict__[key]
            if isinstance(value, str):
                record.__dict__[key] = self._redactor.text(value)
        return True
