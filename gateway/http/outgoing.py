"""All our HTTP to REST APIs goes through here: who may be reached, redirects, encodings, the log.

How one request gets to its origin and back is an `Exchange`'s affair. There are two of them, one
for each answer to "may this caller reach private addresses?": within one, connections are shared.
"""

import asyncio
import functools
import logging
from dataclasses import replace
from typing import Protocol

from yarl import URL

from gateway.errors import BadResponse
from gateway.http.direct import Direct
from gateway.http.inflate import inflate
from gateway.http.live import Hearer, Live
from gateway.http.message import HttpRequest, HttpResponse

log = logging.getLogger(__name__)

REDIRECTS = frozenset({301, 302, 303, 307, 308})
FOLLOWED = frozenset({"GET", "HEAD"})
MOST_REDIRECTS = 3


class Exchange(Protocol):
    """One request to one origin and its answer, `body` still in its content encoding.

    `seconds` bound all of it, `cap` the bytes of the body. What `live` takes goes to it, and
    `seconds` bound each piece of that. Raises GatewayError.
    """

    async def exchange(
        self, request: HttpRequest, seconds: float, cap: int, live: Live | None = None
    ) -> HttpResponse: ...

    async def aclose(self) -> None: ...


class Outgoing:
    """One for the process: backends come and go with their files, connections stay."""

    def __init__(self, public: Exchange | None = None, any_address: Exchange | None = None) -> None:
        self._public = public or Direct(public_only=True)
        self._any = any_address or Direct(public_only=False)

    async def send(
        self,
        request: HttpRequest,
        *,
        seconds: float,
        cap: int,
        private: bool = False,
        follow: bool = True,
        hearer: Hearer | None = None,
    ) -> HttpResponse:
        """The final answer, its content encoding undone. No status is an error here.

        `seconds` bound all of it, redirects included; `cap` the bytes of the body, both as they
        come in and unpacked. `private`: addresses that are not public may be reached. `follow`: a
        redirect within the origin is no answer yet. The body of a success goes to `hearer`, and
        is not in the answer; `seconds` bound each piece of it. Raises GatewayError.
        """
        exchange = (self._any if private else self._public).exchange
        live = None
        if hearer is not None:
            live = Live(hearer, cap)
            exchange = functools.partial(exchange, live=live)
        clock = asyncio.get_running_loop().time
        started = clock()
        response = await exchange(request, seconds, cap)
        hops = 0
        while follow and leads_on(request, response):
            hops += 1
            if hops > MOST_REDIRECTS:
                raise BadResponse(f"the answer redirects more than {MOST_REDIRECTS} times")
            target = redirected(request.url, response.headers["location"])
            request = replace(request, url=target)
            response = await exchange(request, max(started + seconds - clock(), 0.001), cap)
        _note(request, response, clock() - started)
        if live is not None:
            live.end()
        encoding = response.headers.get("content-encoding")
        if encoding:
            return replace(response, body=await inflate(response.body, encoding, cap))
        return response

    async def aclose(self) -> None:
        await self._public.aclose()
        await self._any.aclose()


def leads_on(request: HttpRequest, response: HttpResponse) -> bool:
    followed = response.status in REDIRECTS and request.method in FOLLOWED
    return followed and bool(response.headers.get("location"))


def redirected(url: str, location: str) -> str:
    """Where a redirect leads. Raises BadResponse if to another origin: our keys stay at ours."""
    here = URL(url, encoded=True)
    try:
        there = here.join(URL(location)).with_fragment(None)
        leaves = _origin(there) != _origin(here) or there.raw_user or there.raw_password
    except ValueError:
        raise BadResponse("the answer redirects to something that is no URL") from None
    if leaves:
        host = _as_written(there.host_port_subcomponent or "", location)
        raise BadResponse(
            f"the answer redirects to another origin, {there.scheme}://{host}",
            hint="if it is to be trusted, make it the base_url",
        )
    return str(there)


def _as_written(host: str, location: str) -> str:
    """A URL library writes hosts small: what of our own an API puts there would not be known."""
    at = location.lower().find(host)
    return location[at : at + len(host)] if at >= 0 else host


def _origin(url: URL) -> tuple[str, str | None, int | None]:
    return url.scheme, (url.raw_host or "").lower(), url.port


def _note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    if log.isEnabledFor(logging.DEBUG):
        facts = {
            "route": request.route,
            "status": response.status,
            "ms": round(seconds * 1000, 1),
            "bytes": len(response.body),
        }
        log.debug("http_exchange", extra=facts)
