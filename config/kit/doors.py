"""Where programs call besides the JSON API, and what of their bodies is read there.

The doors of gateways and of Claude Code answer checks; what they are sent may hold
somebody's prompt, so the front throws away all of it, or all but its beginning.
"""

from __future__ import annotations

API, DOORS, OTLP = "/api/", "/doors/", "/otlp/"
PROGRAMS = (API, DOORS, OTLP)

EXT_AUTHZ = "/doors/ext-authz"
HOOK = "/doors/claude-code/hook"
METRICS = "/otlp/v1/metrics"
# Proxies send on what their client sent, its own `Authorization` too.
KEY_VARIABLE = "HTTP_X_EXTRA_USAGE_KEY"

TELEMETRY_LIMIT = 33_554_432  # bytes: 32 MiB, also when unpacked
TELEMETRY_TOO_LONG = (
    "A body is limited to 32 MiB, also when unpacked; export more often."
)
# bytes of a hook's body, at whose beginning Claude Code says which event it is
HOOK_BEGINNING = 16_384
_BEGINNINGS = {HOOK: HOOK_BEGINNING, METRICS: 0}


def beginning_of(path: str) -> int | None:
    """How many bytes of a body are read at this path; None for whole ones."""
    return 0 if is_ext_authz(path) else _BEGINNINGS.get(path)


def is_ext_authz(path: str) -> bool:
    """Whether a proxy asks, which puts its client's path behind this door's own."""
    return path == EXT_AUTHZ or path.startswith(f"{EXT_AUTHZ}/")
