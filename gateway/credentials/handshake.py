"""`session: {handshake: …}`: shows the value that the API named when it refused the last one."""

import re
from collections.abc import Mapping

from gateway.credentials.known import Known
from gateway.credentials.secret import Learner
from gateway.credentials.session import Handshake
from gateway.credentials.static import Headers, with_headers
from gateway.http.message import HttpRequest, HttpResponse

VALUE = re.compile(r"[!-~]{1,4096}")


class HandshakeCredential:
    """`beside` is shown with it. The first request goes out without a value."""

    def __init__(self, given: Handshake, beside: Headers | None, learner: Learner | None) -> None:
        self._given = given
        self._beside = beside
        self._known = Known(learner)
        self._value: str | None = None

    async def apply(self, request: HttpRequest, inbound: Mapping[str, str]) -> HttpRequest:
        if self._beside is not None:
            request = self._beside.applied(request)
        if self._value is None:
            return request
        return with_headers(request, ((self._given.header, self._value),))

    async def challenged(self, sent: HttpRequest, response: HttpResponse) -> bool:
        told = response.headers.get(self._given.header.lower(), "")
        if response.status != self._given.status or not VALUE.fullmatch(told):
            return False
        if (self._given.header, told) in sent.headers:
            return False  # it was this very value that is refused
        self._value = told
        self._known.hold([told])
        return True

    async def aclose(self) -> None:
        self._value = None
        self._known.release()

    def __repr__(self) -> str:
        return f"<HandshakeCredential {self._given.header}>"
