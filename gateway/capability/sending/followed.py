"""The URL of a step that an earlier step was given, such as where an upload goes on.

It is the API's word, and opaque: what is sent is what it gave, or nothing. It never leads to
another origin, and no argument has a say in it.
"""

from collections.abc import Collection

from gateway.capability.expressions.filters import nothing
from gateway.capability.expressions.language import Expression, Position, Scope
from gateway.capability.expressions.place import UNREAD, Place
from gateway.capability.expressions.values import RenderError
from gateway.capability.sending.links import LinkError, as_given, origin
from gateway.errors import BadResponse

BEGINS = "{{"  # a path begins with '/'
ALONE = "write \"{{ steps.ID.location }}\", and what is to be added to it below 'query:'"


class Followed:
    """`render` gives the whole URL; `shape` is what logs may show of it.

    `hidden` are the query pairs that our credential adds.
    """

    __slots__ = ("_base", "_expression", "_hidden", "_said", "shape")

    def __init__(self, expression: Expression, base: str, hidden: Collection[str]) -> None:
        self._expression = expression
        self._said = expression.source.strip()
        self._base = base
        self._hidden = hidden
        self.shape = f"{origin(base)}/{{{self._said}}}"

    def render(self, scope: Scope) -> str:
        """Raises BadResponse."""
        try:
            link = self._expression.value(scope)
            if not nothing(link):
                return as_given(self._base, link, self._hidden)
        except (LinkError, RenderError) as error:
            raise BadResponse(f"{self._said} {error}") from None
        raise BadResponse(f"{self._said} is missing: no answer gave a URL to go on at")


def compile_followed(
    source: str, place: Place, base: str, hidden: Collection[str]
) -> Followed | None:
    """None when it is faulty, which is reported to `place`."""
    found = place.template(source, Position.QUERY)
    if UNREAD in place.reads:
        return None
    if found.single is None:
        place.fault("the URL of an earlier step stands alone", ALONE)
        return None
    foreign = sorted(".".join(read) for read in found.reads if read[0] != "steps")
    if foreign or not found.reads:
        what = f"{', '.join(foreign)} cannot" if foreign else "this is none of its values"
        hint = "a path of your own begins with '/', such as /items/{{ args.id }}"
        place.fault(f"only an earlier step can give the URL of a request: {what}", hint)
        return None
    return Followed(found.single, base, hidden)
