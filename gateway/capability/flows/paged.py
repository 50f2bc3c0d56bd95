"""`paginate:` compiled once. That its keys go together is known by then: `flow_checks.py`."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.capability.answers.mapping import path_at
from gateway.capability.expressions.language import Position
from gateway.capability.expressions.path import compile_path
from gateway.capability.expressions.place import Place
from gateway.capability.expressions.template import compile_template
from gateway.capability.expressions.values import TemplateError
from gateway.capability.file.model import Counted, Cursor, PageSize, Paginate
from gateway.capability.flow import Begin
from gateway.capability.flows.kit import Kit, condition
from gateway.capability.flows.paging import Paging, Size
from gateway.capability.flows.positions import InBody, InForm, InQuery
from gateway.capability.flows.positions import Position as At
from gateway.capability.flows.turning import ByCursor, ByLink, ByNumber
from gateway.capability.sending.request import RequestTemplate
from gateway.capability.sending.shared import Shared
from gateway.capability.sending.tree import SPLICE

WHOLE: Final = compile_path("$")

Turning = ByCursor | ByNumber | ByLink


def compile_paging(kit: Kit, given: Paginate, template: RequestTemplate) -> Begin:
    turn = _turn(kit, given)
    return Paging(
        render=template.render,
        plan=kit.plan,
        response=kit.response,
        items=path_at(given.items, kit.at("paginate", "items")) or WHOLE,
        turn=turn,
        size=None if given.size is None else _size(kit, given.size),
        goes_on=condition(given.while_, kit.answers("paginate", "while")),
        max_pages=given.max_pages,
        max_items=given.max_items,
        feeds=_feeds(kit, turn),
    )


def _size(kit: Kit, given: PageSize) -> Size:
    place = kit.at("paginate", "size")
    value = given.value
    if isinstance(value, str):
        return Size(
            _position(given, kit.shared, place),
            place.at("value").template(value, Position.QUERY),
        )
    return Size(_position(given, kit.shared, place), value)


def _turn(kit: Kit, given: Paginate) -> Turning:
    hidden = kit.shared.auth_query
    for key, counted, first in (("page", given.page, 1), ("offset", given.offset, 0)):
        if counted is not None:
            start = first if counted.start is None else counted.start
            at = _position(counted, kit.shared, kit.at("paginate", key))
            return ByNumber(at, start, by_items=key == "offset")
    if given.cursor is not None:
        place = kit.at("paginate", "cursor")
        source = path_at(given.cursor.from_, place.at("from"))
        return ByCursor(_position(given.cursor, kit.shared, place), source or WHOLE)
    if given.next_url is not None:
        return ByLink(path_at(given.next_url, kit.at("paginate", "next_url")), hidden)
    return ByLink(None, hidden)


def _position(given: Cursor | Counted | PageSize, shared: Shared, place: Place) -> At:
    """That it stands in exactly one place is known by then: `flow_checks.py`."""
    if given.query is not None:
        if given.query in shared.auth_query:
            place.at("query").fault(f"query {given.query!r} is set by auth", "rename or remove it")
        return InQuery(given.query)
    if given.form is not None:
        return InForm(given.form)
    if given.variable is not None:
        return InBody(("variables", *given.variable.split(".")))
    return InBody(tuple((given.json or "").split(".")))


def _feeds(kit: Kit, turn: Turning) -> dict[str, str]:
    """See `Paging.feeds`."""
    args, query = kit.spec.args, kit.spec.query
    if isinstance(turn, ByLink):
        names = query if isinstance(query, dict) else dict.fromkeys(args)
        found = {name: _feeding(query, name, kit) for name in (*names, *args)}
        return {name: arg for name, arg in found.items() if arg is not None}
    at = turn.place
    arg = None
    if isinstance(at, InBody):
        arg = _in_body(kit, at.keys)
    elif isinstance(at, InQuery | InForm):
        arg = _feeding(query if isinstance(at, InQuery) else kit.spec.form, at.name, kit)
    return {} if arg is None else {"": arg}


def _in_body(kit: Kit, keys: tuple[str, ...]) -> str | None:
    graphql = kit.spec.graphql
    value: Any = {"variables": graphql.variables} if graphql else kit.spec.json
    for key in keys[:-1]:
        value = value.get(key) if isinstance(value, Mapping) else None
    return _feeding(value, keys[-1], kit)


def _feeding(value: Any, name: str, kit: Kit) -> str | None:
    """The argument that alone fills `name` of the mapping `value`, or is spliced into it so."""
    if isinstance(value, str):
        value = {SPLICE: value}
    if not isinstance(value, Mapping):
        return None
    source = value.get(name)
    if source is None:
        return name if SPLICE in value and name in kit.spec.args else None
    names = {"args": kit.spec.args, "rest": (), **kit.shared.names}
    try:
        found = compile_template(str(source), position=Position.MESSAGE, names=names)
    except TemplateError:
        return None  # told where the request is compiled
    roots, names_read = {read[0] for read in found.reads}, [read[-1] for read in found.reads]
    alone = found.single is not None and roots == {"args"} and len(names_read) == 1
    return names_read[0] if alone and names_read[0] in kit.spec.args else None
