"""What is refused before a thread is taken: calls of the API that read a body and carry
no key, and bodies that don't come.
"""

from __future__ import annotations

from typing import Any

from prometheus_client import Counter

from config.front.calls import Answer, Environ
from config.kit.api import problem
from config.kit.keys import is_bearer

# What never reaches Django, whose own counts therefore lack it.
_refused = Counter(
    "extra_usage_front_refused",
    "Calls that the front answered itself, by why.",
    ["reason"],
)
for _reason in (
    "no_key",
    "too_slow",
    "too_many_downloads",
    "too_many_downloads_of_one",
    "broken_body",
    "failed",
):
    _refused.labels(_reason)

API = "/api/"
KEYED = "/api/v1/"


def needs_key(environ: Environ) -> bool:
    """Whether this call of the API has no key that could open it."""
    return environ["PATH_INFO"].startswith(KEYED) and not is_bearer(
        environ.get("HTTP_AUTHORIZATION", "")
    )


def without_key() -> Answer:
    """401, as the API answers it."""
    _refused.labels("no_key").inc()
    detail = "Send a valid API key: “Authorization: Bearer <key>”."
    return _answer(problem(status=401, detail=detail))


def too_slow(environ: Environ) -> Answer:
    """408; the connection closes, since the rest of the body may yet come."""
    _refused.labels("too_slow").inc()
    refusal = refusal_for(
        environ, 408, "The body did not arrive in time. Send it again."
    )
    refusal.headers.append((b"connection", b"close"))
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
    """A problem document for programs, plain text for people."""
    if environ["PATH_INFO"].startswith(API):
        return _answer(problem(status=status, detail=sentence))
    body = sentence.encode()
    kind = (b"content-type", b"text/plain; charset=utf-8")
    return Answer(status, [kind, _length(body)], body)


def _answer(response: Any) -> Answer:
    body: bytes = response.content
    pairs = [(k.lower().encode(), v.encode()) for k, v in response.items()]
    return Answer(response.status_code, [*pairs, _length(body)], body)


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(body)
