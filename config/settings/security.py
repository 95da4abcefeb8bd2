"""What browsers are told, cookies, https, and the size of a request."""

from __future__ import annotations

from csp.constants import NONE, SELF

from config.front.bodies import LIMIT
from config.settings.start import HTTPS, LOOPBACK, env

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
if HTTPS:
    # Browsers take these names only from this very host, secure and for all paths.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"
# As long as a browser keeps one at most.
LANGUAGE_COOKIE_AGE = 400 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True) and HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
_hsts = env.count("SECURE_HSTS_SECONDS", default=31_536_000, most=315_360_000)
SECURE_HSTS_SECONDS = _hsts if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = env.flag("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
SILENCED_SYSTEM_CHECKS = ["security.W003"]  # `PagesCsrf` is that middleware, for pages
if LOOPBACK:
    # HSTS, the redirect to https and secure cookies have nothing to protect where no
    # network is crossed.
    SILENCED_SYSTEM_CHECKS += [
        "security.W004",
        "security.W008",
        "security.W010",
        "security.W012",
        "security.W016",
    ]
RATE_LIMITS = {  # by the names of `kit.limits`
    "hot": env.rate("RATE_LIMIT_METERING", default="5000/second"),
    "member": env.rate("RATE_LIMIT_MEMBER", default="300/second"),
    "calls": env.rate("RATE_LIMIT_CALLS", default="1200/minute"),
    "reports": env.rate("RATE_LIMIT_REPORTS", default="60/minute"),
    "wrong_keys": env.rate("RATE_LIMIT_WRONG_KEYS", default="60/minute"),
    "anonymous": env.rate("RATE_LIMIT_ANONYMOUS", default="120/minute"),
}
# Channels and webhooks go to the public internet by https; where this is allowed, also to
# addresses inside and by http (N3).
WEBHOOKS_ALLOW_PRIVATE = env.flag("WEBHOOKS_ALLOW_PRIVATE", default=False)
# The API's documentation tells nothing that the source does not, and asks for no key.
API_DOCS = env.flag("API_DOCS", default=True)
DATA_UPLOAD_MAX_MEMORY_SIZE = LIMIT  # the API and the pages answer 413 above it
FILE_UPLOAD_HANDLERS = ["config.kit.uploads.NoUploads"]
