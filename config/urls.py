"""All URLs: people's pages, the JSON API, doors, operators, health and metrics."""

from django.contrib import admin
from django.urls import include, path

from config import health
from config.api import api
from config.doors import checks, telemetry

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/", api.urls),
    path("doors/", checks.urls),
    path("otlp/v1/", telemetry.urls),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    path("", include("requests_inbox.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler429 = "config.errors.too_many"  # asked for by allauth
handler500 = "config.errors.server_error"
