"""Requests with their credential, outside of a backend."""

from gateway.credentials.opening import Means, opened


async def nowhere(request, *, seconds, cap):
    raise AssertionError(f"nothing is sent here: {request!r}, {seconds}, {cap}")


def no_tokens():
    raise AssertionError("no tokens are asked for here")


MEANS = Means("api", "https://api.example", nowhere, no_tokens)


def signed(plan, request):
    """`request` with the fixed credential of `plan`, an AuthPlan or None."""
    return request if plan is None else opened(plan, MEANS).applied(request)
