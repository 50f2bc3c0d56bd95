"""What of `gateway.yaml` comes to nothing: names that nothing on offer answers to, most often
misspelled ones, and sections that nothing follows from. Pure.
"""

from collections.abc import Iterator

from gateway.capability.file.yaml import dotted
from gateway.config import unmet_callers, unmet_globs
from gateway.config.model import Config, SurfacedTool
from gateway.config.peers import UNNEEDED
from gateway.config.unmet_globs import is_known
from gateway.domain.catalog import Catalog
from gateway.domain.issue import Issue, Severity
from gateway.domain.listing import Listing
from gateway.domain.names import did_you_mean
from gateway.domain.tool import ToolRef


def unmet(config: Config, file: str, catalog: Catalog) -> Iterator[Issue]:
    """Warnings, since what is named may yet come."""
    for index, named in enumerate(config.meta_mcp.surfaced_tools):
        ref = ref_of(named)
        if catalog.find(ref) is None and _is_known(catalog.backends.get(ref.backend)):
            hint = did_you_mean(str(ref), [str(tool.ref) for tool in catalog])
            place = f"meta_mcp.surfaced_tools[{index}]"
            yield _warning(file, f"no tool {str(ref)!r} is on offer", place, hint)
    yield from _unmet_names(config, file, catalog)
    for path, text, advice in (
        *unmet_callers.remarks(config, catalog),
        *unmet_globs.remarks(config, catalog),
    ):
        yield _warning(file, text, dotted(path), advice)
    for section in UNNEEDED:
        if getattr(config, section) is not None:
            yield _warning(file, f"it has no effect here: {UNNEEDED[section]}", section, None)


def _unmet_names(config: Config, file: str, catalog: Catalog) -> Iterator[Issue]:
    for name in config.capabilities.vars:
        if name not in catalog.backends:
            hint = did_you_mean(name, catalog.backends)
            yield _warning(
                file, f"no server {name!r} is on offer", f"capabilities.vars.{name}", hint
            )

    for name in config.failsafe.backends:
        if name not in catalog.backends:
            hint = did_you_mean(name, catalog.backends)
            place = f"failsafe.backends.{name}"
            yield _warning(file, f"no server {name!r} is on offer", place, hint)
    for name, meant in config.aliases.items():
        if meant not in catalog.backends:
            hint = did_you_mean(meant, catalog.backends)
            yield _warning(file, f"no server {meant!r} is on offer", f"aliases.{name}", hint)
        if name in catalog.backends:
            text = f"{name!r} is the own name of a server, which counts"
            yield _warning(file, text, f"aliases.{name}", None)


def _is_known(listing: Listing | None) -> bool:
    return listing is None or is_known(listing)


def ref_of(named: str | SurfacedTool) -> ToolRef:
    if isinstance(named, SurfacedTool):
        return ToolRef(named.server, named.tool)
    backend, _, tool = named.partition(":")
    return ToolRef(backend, tool)


def _warning(file: str, message: str, place: str, hint: str | None) -> Issue:
    return Issue(file, message, path=place, hint=hint, severity=Severity.WARNING)
