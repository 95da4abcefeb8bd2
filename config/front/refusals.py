"""What is refused before a thread is taken: calls of programs that read a body and carry
no key, and bodies that don't come.
"""

from __future__ import annotations

from typing import Any

from prometheus_client import Counter

from config.front.calls import Answer, Environ
from config.kit.api import problem
from config.kit.doors import DOORS, KEY_VARIABLE, OTLP, PROGRAMS, is_ext_authz
from config.kit.keys import is_bare, is_bearer
from config.kit.otlp import encoding_of, error_body

# What never reaches Django, whose own counts therefore lack it.
_refused = Counter(
    "extra_usage_front_refused",
    "Calls that the front answered itself, by why.",
    ["reason"],
)
for _reason in (
    "no_key",
    "too_slow",
    "no_room",
    "too_many_downloads",
    "too_many_downloads_of_one",
    "broken_body",
    "failed",
):
    _refused.labels(_reason)

KEYED = ("/api/v1/", DOORS, OTLP)


def needs_key(environ: Environ) -> bool:
    """Whether this call of a program has no key that could open it."""
    path = environ["PATH_INFO"]
    if not path.startswith(KEYED):
        return False
    if is_ext_authz(path) and KEY_VARIABLE in environ:
        return not is_bare(environ[KEY_VARIABLE])
    return not is_bearer(environ.get("HTTP_AUTHORIZATION", ""))


def without_key(environ: Environ) -> Answer:
    """401, as the API answers it."""
    _refused.labels("no_key").inc()
    sentence = "Send a valid API key: “Authorization: Bearer <key>”."
    refusal = refusal_for(environ, 401, sentence)
    if environ["PATH_INFO"].startswith(OTLP):
        refusal.headers.append((b"www-authenticate", b'Bearer realm="extra-usage"'))
    return refusal


def too_slow(environ: Environ) -> Answer:
    """408; the connection closes, since the rest of the body may yet come."""
    _refused.labels("too_slow").inc()
    refusal = refusal_for(
        environ, 408, "The body did not arrive in time. Send it again."
    )
    refusal.headers.append((b"connection", b"close"))
    return refusal


def no_room(environ: Environ) -> Answer:
    """503, with the time in seconds after which to try again."""
    _refused.labels("no_room").inc()
    sentence = (
        "Too many large bodies are being read at once. Send it again in a moment."
    )
    refusal = refusal_for(environ, 503, sentence)
    refusal.headers.append((b"retry-after", b"2"))
    return refusal


def too_many_downloads(environ: Environ) -> Answer:
    """503, with the time in seconds after which to try again."""
    _refused.labels("too_many_downloads").inc()
    sentence = "Too many downloads are open at once. Try again in a minute."
    refusal = refusal_for(environ, 503, sentence)
    refusal.headers.append((b"retry-after", b"60"))
    return refusal


def too_many_of_one(environ: Environ) -> Answer:
    """429, with the time in seconds after which to try again."""
    _refused.labels("too_many_downloads_of_one").inc()
    sentence = "You have too many downloads open. Finish one, or try again in a minute."
    refusal = refusal_for(environ, 429, sentence)
    refusal.headers.append((b"retry-after", b"60"))
    return refusal


def broken_body(environ: Environ) -> Answer:
    """400; the connection closes, since nobody can tell where the next request begins."""
    _refused.labels("broken_body").inc()
    sentence = "The body ended early, or its chunks are malformed."
    refusal = refusal_for(environ, 400, sentence)
    refusal.headers.append((b"connection", b"close"))
    return refusal


def failed(environ: Environ) -> Answer:
    """500, where Django itself could not answer."""
    _refused.labels("failed").inc()
    return refusal_for(environ, 500, "Something went wrong on our side.")


def refusal_for(environ: Environ, status: int, sentence: str) -> Answer:
    """A problem document for programs, OTLP's own for exporters, text for people."""
    path = environ["PATH_INFO"]
    if path.startswith(OTLP):
        encoding = encoding_of(environ.get("CONTENT_TYPE", ""))
        body, kind = error_body(status, sentence, encoding=encoding)
    elif path.startswith(PROGRAMS):
        return _answer(problem(status=status, detail=sentence))
    else:
        body, kind = sentence.encode(), "text/plain; charset=utf-8"
    return Answer(status, [(b"content-type", kind.encode()), _length(body)], body)


def _answer(response: Any) -> Answer:
    body: bytes = response.content
    pairs = [(k.lower().encode(), v.encode()) for k, v in response.items()]
    return Answer(response.status_code, [*pairs, _length(body)], body)


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(body)
