"""The ASGI application that the server runs: the front of the WSGI application."""

from __future__ import annotations

import logging
from typing import Any

from config.front import bodies, refusals
from config.front.calls import Answer, Application, Environ, answer_of, environ_of
from config.front.clients import client_of, has_known_key, is_static
from config.front.downloads import Downloads, TooMany, TooManyOfOne
from config.front.lanes import Lane
from config.kit.doors import DOORS, OTLP, beginning_of

log = logging.getLogger("extra_usage.front")

METERING = frozenset({"/api/v1/authorize", "/api/v1/usage"})
READINESS = frozenset({"/readyz", "/metrics"})


class Front:
    """Gathers the body, refuses or hands over, and sends what comes back.

    `threads` is for metering and as many again for pages; telemetry, which nobody waits
    for, health checks and downloads have their own.
    """

    def __init__(self, application: Application, *, threads: int) -> None:
        self.application = application
        self.metering = Lane("metering", threads=threads)
        self.pages = Lane("pages", threads=threads)
        self.telemetry = Lane("telemetry", threads=2)
        self.alive = Lane("alive", threads=1)
        self.ready = Lane("ready", threads=1)
        self.downloads = Downloads(
            "download", threads=2, each=4, is_metering=self.metering.is_used
        )
        # Strangers may read these: who holds all of them up holds up no private one. An
        # office or a proxy is one address.
        self.static = Downloads("static", threads=1, each=16)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        environ = environ_of(scope)
        if not bodies.has_body(environ):
            await self._respond(environ, b"", receive, send)
            return
        if refusals.needs_key(environ):
            await _refuse(refusals.without_key(environ), environ, receive, send)
            return
        room = bodies.Room(lambda: has_known_key(environ))
        try:
            body = await _body(environ, receive, room)
            await self._respond(environ, body, receive, send)
        except bodies.ClientLeft:
            await _send(refusals.broken_body(environ), send)
        except bodies.TooSlow:
            await _send(refusals.too_slow(environ), send)
        except bodies.NoRoom:
            await _refuse(refusals.no_room(environ), environ, receive, send)
        finally:
            room.leave()

    async def _respond(
        self, environ: Environ, body: bytes, receive: Any, send: Any
    ) -> None:
        answer = await self._answer(environ, body)
        if bodies.UNREAD in environ:
            await _refuse(answer, environ, receive, send)
        elif answer.download is None:
            await _send(answer, send)
        else:
            await self._download(answer, environ, receive, send)

    def _lane(self, environ: Environ) -> Lane:
        path = environ["PATH_INFO"]
        if path in METERING and environ["REQUEST_METHOD"] == "POST":
            return self.metering
        if path.startswith(DOORS):
            return self.metering
        if path.startswith(OTLP):
            return self.telemetry
        if path == "/healthz":
            return self.alive
        return self.ready if path in READINESS else self.pages

    async def _answer(self, environ: Environ, body: bytes) -> Answer:
        lane = self._lane(environ)
        try:
            return await lane.run(answer_of, self.application, environ, body)
        except Exception:
            log.exception("front.failed")
            return refusals.failed(environ)

    async def _download(
        self, answer: Answer, environ: Environ, receive: Any, send: Any
    ) -> None:
        downloads = self.static if is_static(environ) else self.downloads
        try:
            await downloads.send(answer, receive, send, client_of(environ))
        except TooManyOfOne:
            await _send(refusals.too_many_of_one(environ), send)
        except TooMany:
            await _send(refusals.too_many_downloads(environ), send)
        except RuntimeError:
            await _send(refusals.failed(environ), send)


async def _body(environ: Environ, receive: Any, room: bodies.Room) -> bytes:
    """What of the body is read at this path. Raises ClientLeft, NoRoom, TooSlow."""
    path = environ["PATH_INFO"]
    most = beginning_of(path)
    if most is not None:
        body, more = await bodies.beginning(receive, most)
        if more:
            environ[bodies.UNREAD] = True
        return body
    length, limit = bodies.length_of(environ), bodies.limit_of(path)
    try:
        return await bodies.gathered(receive, length=length, limit=limit, room=room)
    except bodies.TooLong:
        environ[bodies.UNREAD] = environ[bodies.TOO_LONG] = True
        return b""


async def _send(answer: Answer, send: Any) -> None:
    status, headers = answer.status, answer.headers
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _refuse(answer: Answer, environ: Environ, receive: Any, send: Any) -> None:
    """Throw away what is on its way, so that the answer can be read, and answer.

    Who expects a “100 Continue” has sent nothing yet, and need not.
    """
    if "HTTP_EXPECT" in environ or not await bodies.drain(receive):
        answer.headers.append((b"connection", b"close"))
    await _send(answer, send)
