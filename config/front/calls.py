"""One call of Django: an ASGI scope as a WSGI environment, and Django's answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from django.utils import translation

Environ = dict[str, Any]
Scope = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
Headers = list[tuple[bytes, bytes]]

SMALL = 1_048_576  # bytes: a file up to this size is read whole where it is found


@dataclass(slots=True)
class Download:
    """A response that nobody has begun to read, with the context and the language in
    which its words are to be written, in whatever thread.
    """

    response: Any
    context: Context
    language: str | None

    def run(self, work: Callable[[Any], None]) -> None:
        """`work(response)`, and close the response."""
        self.context.run(self._run, work)

    def _run(self, work: Callable[[Any], None]) -> None:
        try:
            # Django's own language belongs to a thread as well as to a context.
            with translation.override(self.language):
                work(self.response)
        finally:
            self.response.close()


@dataclass(slots=True)
class Answer:
    """What goes back: a whole body, or a download."""

    status: int
    headers: Headers
    body: bytes = b""
    download: Download | None = None


@lru_cache(maxsize=512)
def _variable(name: bytes) -> str:
    """A header's name in the environment; none for one with an underscore, which could
    pass for another header that a proxy sets.
    """
    if b"_" in name:
        return ""
    variable = name.decode("latin-1").upper().replace("-", "_")
    if variable in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        return variable
    return f"HTTP_{variable}"


def environ_of(scope: Scope) -> Environ:
    """The environment (PEP 3333) of a call, without its body."""
    server, client = scope.get("server"), scope.get("client")
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "CONTENT_LENGTH": "",
        "REMOTE_ADDR": client[0] if client else "",
        "SERVER_NAME": server[0] if server else "",
        "SERVER_PORT": str(server[1]) if server else "",
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        variable = _variable(name)
        if variable:
            text = value.decode("latin-1")
            before = environ.get(variable)
            if before:
                text = f"{before}{';' if name == b'cookie' else ','}{text}"
            environ[variable] = text
    return environ


def answer_of(application: Application, environ: Environ, body: bytes) -> Answer:
    """Django's answer. Raises whatever the reading of its body raises."""
    environ["CONTENT_LENGTH"] = str(len(body)) if body else ""
    environ["wsgi.input"] = BytesIO(body)
    head: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        head[:] = status, headers

    response = application(environ, start_response)
    status, headers = head
    answer = Answer(int(status[:3]), [_encoded(*header) for header in headers])
    if environ["REQUEST_METHOD"] != "HEAD" and _is_large(response):
        language = translation.get_language()
        answer.download = Download(response, copy_context(), language)
        return answer
    try:
        if environ["REQUEST_METHOD"] != "HEAD":
            answer.body = b"".join(response)
    finally:
        _close(response)
    return answer


def _encoded(name: str, value: str) -> tuple[bytes, bytes]:
    return name.lower().encode("latin-1"), value.strip().encode("latin-1")


def _is_large(response: Any) -> bool:
    """Whether it is made while it is read, and not known to be small."""
    if not getattr(response, "streaming", False):
        return False
    length = response.headers.get("Content-Length", "")
    return not length.isdigit() or int(length) > SMALL


def _close(response: Any) -> None:
    close = getattr(response, "close", None)
    if close:
        close()
