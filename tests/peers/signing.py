"""Requests with their credential, outside of a backend."""

import contextlib
import sys

import msgspec

from gateway.credentials import Auth
from gateway.credentials.opening import Means, opened
from gateway.credentials.union import AuthPlan


async def nowhere(request, *, seconds, cap):
    raise AssertionError(f"nothing is sent here: {request!r}, {seconds}, {cap}")


def no_tokens():
    raise AssertionError("no tokens are asked for here")


MEANS = Means("api", "https://api.example", nowhere, no_tokens)


def signed(plan, request):
    """`request` with the fixed credential of `plan`, an AuthPlan or None."""
    return request if plan is None else opened(plan, MEANS).applied(request)


def planned(spec, values=None):
    """`spec` of an `auth:`, compiled. Each template is a key of `values`, or stands for itself."""
    values = {} if values is None else values

    def render(text, names=()):
        return lambda more=None: _filled(values.get(text, text), names, more or {})

    return AuthPlan(msgspec.convert(spec, Auth), render)


def _filled(text, names, more):
    """What a real template does with `{{ name }}`."""
    for name in names:
        text = text.replace(f"{{{{ {name} }}}}", more[name])
    return text


@contextlib.contextmanager
def without(library):
    """As where `library` is not installed."""
    there = {name: one for name, one in sys.modules.items() if name.partition(".")[0] == library}
    for name in there:
        del sys.modules[name]
    sys.modules[library] = None
    try:
        yield
    finally:
        del sys.modules[library]
        sys.modules.update(there)
