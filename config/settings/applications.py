"""Applications, middleware, templates, languages and static files."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.settings.start import BASE_DIR, DEBUG, TESTING

# -- Applications ------------------------------------------------------------------------

INSTALLED_APPS = [
    "accounts",
    "billing",
    "requests_inbox",
    "config",
    "accounts.operators.apps.OperatorsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "config.static_files.StaticFiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "ninja",
]

# The JSON API carries its own key and no cookie, so whatever serves people only is
# skipped there (`kit.middleware`).
MIDDLEWARE = [
    "config.health.Probes",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "config.calls_log.CallsLog",
    "config.doors.OtlpErrors",
    "config.kit.hosts.KnownHost",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.kit.middleware.PagesGzip",
    "config.kit.middleware.PrivateAnswers",
    "config.kit.middleware.PagesSession",
    "config.kit.middleware.PagesLocale",
    "django.middleware.common.CommonMiddleware",
    "config.kit.middleware.PagesCsrf",
    "config.kit.middleware.PagesAuthentication",
    "config.kit.middleware.PagesMessages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.kit.middleware.PagesCsp",
    "config.permissions_policy.PermissionsPolicy",
    "config.outages.Outages",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.sessions.SessionLimits",
    "accounts.language.OwnLanguage",
    "config.kit.middleware.PagesHtmx",
    "config.kit.middleware.PagesLog",
    "config.kit.middleware.HtmxResponse",
    "accounts.bell.BellAnswers",
    "config.kit.middleware.ApiMethodNotAllowed",
    "config.errors.BodyLimit",
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

# -- Languages, time ---------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# -- Static files ------------------------------------------------------------------------

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
if TESTING or DEBUG:
    WHITENOISE_USE_FINDERS = True
    WHITENOISE_AUTOREFRESH = True
