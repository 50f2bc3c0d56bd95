"""Pinned definitions of tools, and what of a backend is offered beside them. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pins:
    """The definitions that `capgate lock` wrote down. Two that are equal pin alike."""
