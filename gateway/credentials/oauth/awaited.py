"""One authorization that waits for a person: the listener, and the token at the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from gateway.credentials.oauth.callback import Callback
from gateway.credentials.oauth.flow import Authorization
from gateway.errors import AuthorizationNeeded, BackendUnavailable, GatewayError

log = logging.getLogger(__name__)

PATIENCE = 600.0  # seconds a person has


class Awaited:
    """Made while a loop runs, with `callback` open. It ends by itself, and closes the listener."""

    def __init__(
        self,
        name: str,
        asked: Authorization,
        callback: Callback,
        exchange: Callable[[str], Awaitable[None]],
        patience: float = PATIENCE,
    ) -> None:
        self.asked = asked
        self.url = asked.url
        self._name = name
        self._callback = callback
        self._exchange = exchange
        self._patience = patience
        self.answered = False
        self.unanswered = False  # nobody came in time
        self._task = asyncio.create_task(self._finish())
        log.info("authorization_wanted", extra={"backend": name, "url": self.url})

    @property
    def over(self) -> bool:
        return self._task.done()

    def error(self) -> AuthorizationNeeded:
        """What a caller is told meanwhile."""
        text = "the server wants a person's permission first"
        command = f"capgate authorize {self._name}"
        hint = f"the operator of the gateway runs `{command}` there, or opens {self.url}"
        return AuthorizationNeeded(text, self.url, hint=hint)

    async def result(self) -> None:
        """Returns when the token is there. Raises BackendUnavailable when it never will be."""
        problem = await asyncio.shield(self._task)
        if problem is not None:
            raise problem

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._callback.aclose()  # a task that never began has closed nothing

    async def _finish(self) -> GatewayError | None:
        """Why it came to nothing, or None."""
        try:
            await self._exchange(self.asked.code(await self._answer()))
        except GatewayError as error:
            facts = {"backend": self._name, "reason": str(error)}
            log.warning("authorization_failed", extra=facts)
            return error
        finally:
            await self._callback.aclose()
        facts = {"backend": self._name, "issuer": self.asked.server.issuer}
        log.info("authorized", extra=facts)
        return None

    async def _answer(self) -> Mapping[str, str]:
        try:
            answer = await self._callback.answer(self._patience)
        except TimeoutError:
            self.unanswered = True
            minutes = round(self._patience / 60)
            raise BackendUnavailable(f"nobody came within {minutes} minutes") from None
        self.answered = True
        return answer
