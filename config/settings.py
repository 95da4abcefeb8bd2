"""All settings, from the environment or a `.env` file beside manage.py; the README
lists every name and default.

Without any setting but a secret the product runs embedded: SQLite, a file-system broker
and a file cache under `var/`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from whitenoise.compress import Compressor

from config.bodies import LIMIT
from config.environment import LEVELS, Environment
from config.logging import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules

env = Environment()
if not TESTING:
    environ.Env.read_env(BASE_DIR / ".env")

# -- Start-up facts --------------------------------------------------------------------

DEBUG = env.flag("DEBUG", default=False)
SITE_URL = env.site_url("SITE_URL", default="http://127.0.0.1:8000")
HTTPS = SITE_URL.startswith("https://")
LOOPBACK = urlsplit(SITE_URL).hostname in ("127.0.0.1", "localhost", "::1")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", default=[SITE_URL])

VAR_DIR = BASE_DIR / env.text("VAR_DIR", default="var")

SECRET_KEY = env.secret("SECRET_KEY", needed=not (DEBUG or TESTING))

# -- Applications ----------------------------------------------------------------------

INSTALLED_APPS = [
    "accounts",
    "billing",
    "requests_inbox",
    "config",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "ninja",
]

# The JSON API carries its own key and no cookie, so whatever serves people only is
# skipped there (`kit.middleware`).
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.kit.middleware.PagesSession",
    "config.kit.middleware.PagesLocale",
    "django.middleware.common.CommonMiddleware",
    "config.kit.middleware.PagesCsrf",
    "config.kit.middleware.PagesAuthentication",
    "config.kit.middleware.PagesMessages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.kit.middleware.PagesCsp",
    "allauth.account.middleware.AccountMiddleware",
    "config.kit.middleware.PagesHtmx",
    "config.kit.middleware.PagesLog",
    "config.kit.middleware.HtmxResponse",
    "config.kit.middleware.ApiMethodNotAllowed",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

FORM_RENDERER = "config.kit.fields.FormRenderer"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "accounts.context.navigation",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "config.kit.tags",
            ],
            "loaders": (
                [
                    "django.template.loaders.filesystem.Loader",
                    "django.template.loaders.app_directories.Loader",
                ]
                if DEBUG
                else [
                    (
                        "django.template.loaders.cached.Loader",
                        [
                            "django.template.loaders.filesystem.Loader",
                            "django.template.loaders.app_directories.Loader",
                        ],
                    )
                ]
            ),
        },
    },
]

# -- Data ------------------------------------------------------------------------------

DATABASES = {
    "default": env.database(
        "DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}"
    )
}
_database = DATABASES["default"]
_database["ATOMIC_REQUESTS"] = False
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # Row locks do nothing on SQLite; taking the write lock first makes every
    # transaction exact instead.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
    if not TESTING:
        Path(_database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
else:
    _database["CONN_MAX_AGE"] = env.count("DATABASE_CONN_MAX_AGE", default=600)
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {
        # Django turns prepared statements off; this leaves them to `kit.sql.run`, which
        # asks for each. Planning a check
        # anew costs ten times its execution, so a prepared one is planned once a connection.
        "prepare_threshold": 1_000_000_000,
        "options": "-c plan_cache_mode=force_generic_plan -c jit=off",
        **_database.get("OPTIONS", {}),
    }
if (
    TESTING
    and "postgresql" in _database["ENGINE"]
    and os.environ.get("TEST_DATABASE_NAME")
):
    _database["TEST"] = {"NAME": os.environ["TEST_DATABASE_NAME"]}

REDIS_URL = env.redis("REDIS_URL")
if TESTING:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
elif REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": str(VAR_DIR / "cache"),
        }
    }

# -- People ----------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": (
            "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
        )
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = (  # an address is proven by the invitation mail, the only way in
    "none"
)
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Extra usage"
INVITATION_DAYS = env.count("INVITATION_DAYS", default=7, least=1)

# -- Money and metering ----------------------------------------------------------------

# Rates of a model nobody has a price for (M4), in USD per million tokens; without both,
# the dearest among the provider's models. Writing to the cache costs up to twice the
# input, and no rate may be over $10,000.
FALLBACK_INPUT_USD_PER_MTOK = env.optional_usd(
    "FALLBACK_INPUT_USD_PER_MTOK", most=5_000
)
FALLBACK_OUTPUT_USD_PER_MTOK = env.optional_usd(
    "FALLBACK_OUTPUT_USD_PER_MTOK", most=10_000
)
AUTHORIZATION_HOURS = env.count("AUTHORIZATION_HOURS", default=24, least=1)
CLOSE_GRACE_HOURS = env.count("CLOSE_GRACE_HOURS", default=6)
# Who sells, as invoices and statements print it; lines of the address are separated by "|".
SELLER_NAME = env.text("SELLER_NAME", default="Extra usage")
SELLER_ADDRESS = env.lines("SELLER_ADDRESS")
SELLER_TAX_ID = env.text("SELLER_TAX_ID")
SELLER_EMAIL = env.text("SELLER_EMAIL")
INVOICE_NOTE = env.text("INVOICE_NOTE")
REQUEST_PAUSE_HOURS = env.count("REQUEST_PAUSE_HOURS", default=24)

# With a Stripe key payments go to Stripe, else to the built-in test gateway, which
# pretends (T6).
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET")
STRIPE_API_BASE = env.text("STRIPE_API_BASE")
PAYMENT_GATEWAY = "stripe" if STRIPE_SECRET_KEY else "sandbox"
# Owners are told of a low balance at this amount where no reload threshold was ever set (N1).
LOW_BALANCE_USD = env.usd("LOW_BALANCE_USD", default="10")

# -- Mail ------------------------------------------------------------------------------

vars().update(env.email("EMAIL_URL", default="consolemail://"))
if TESTING:
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DEFAULT_FROM_EMAIL = env.text(
    "DEFAULT_FROM_EMAIL", default="Extra usage <usage@localhost>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 20

# -- Languages, time -------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# -- Static files ----------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG or TESTING
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
# The fonts of printed documents are never sent to a browser: compressing them would
# cost half a second and 12 MB for nothing.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "ttf")
if TESTING or DEBUG:
    WHITENOISE_USE_FINDERS = True
    WHITENOISE_AUTOREFRESH = True

# -- Security --------------------------------------------------------------------------

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
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS and env.flag("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = (
    env.count("SECURE_HSTS_SECONDS", default=31_536_000) if HTTPS else 0
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.flag("BEHIND_PROXY", default=False):
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
DATA_UPLOAD_MAX_MEMORY_SIZE = LIMIT  # the API and the pages answer 413 above it

# -- Jobs ------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost//"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 1_800
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
if REDIS_URL:
    # Above the longest task, or Redis hands a running one to a second worker.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {"visibility_timeout": 7_200}
else:
    QUEUE_DIR = VAR_DIR / "queue"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(QUEUE_DIR),
        "data_folder_out": str(QUEUE_DIR),
        "control_folder": str(VAR_DIR / "control"),
    }
if TESTING:
    CELERY_TASK_ALWAYS_EAGER = True

# -- Logs, metrics ---------------------------------------------------------------------

PROMETHEUS_EXPORT_MIGRATIONS = False
METRICS_TOKEN = env.text("METRICS_TOKEN")
LOG_JSON = env.flag("LOG_JSON", default=not DEBUG)
LOG_LEVEL = env.choice("LOG_LEVEL", default="INFO", options=LEVELS)
LOGGING = logging_settings(json_lines=LOG_JSON, level=LOG_LEVEL)
