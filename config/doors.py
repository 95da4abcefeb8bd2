"""The doors of gateways, of Claude Code and of telemetry, beside the JSON API and with
its keys, limits and errors. Exporters read errors as OTLP has them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja import NinjaAPI

from config.api import api
from config.kit.doors import OTLP
from config.kit.otlp import encoding_of, error_body


class Door(NinjaAPI):
    """Routes of one kind; errors are those of the API."""

    def __init__(self, namespace: str) -> None:
        super().__init__(docs_url=None, openapi_url=None, urls_namespace=namespace)

    @property
    def urls(self) -> Any:
        """The routes alone, without Ninja's page of where its documentation is."""
        patterns, app, namespace = super().urls
        routes = [one for one in patterns if getattr(one, "name", "") != "api-root"]
        return routes, app, namespace

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        """As the API answers it."""
        return api.on_exception(request, exc)


class OtlpErrors:
    """Middleware: an exporter's errors in the encoding in which it sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_error = request.path_info.startswith(OTLP) and response.status_code >= 400
        if is_error and isinstance(response, HttpResponse):
            encoding = encoding_of(request.META.get("CONTENT_TYPE", ""))
            response.content, response["Content-Type"] = error_body(
                response.status_code, _sentence(response), encoding=encoding
            )
            response["Content-Length"] = str(len(response.content))
        return response


def _sentence(response: HttpResponse) -> str:
    if response.headers.get("Content-Type") == "application/problem+json":
        detail = str(json.loads(response.content).get("detail", ""))
        if detail:
            return detail
    return HTTPStatus(response.status_code).phrase


def mount() -> tuple[Door, Door]:
    """The doors of checks, and those of telemetry."""
    from billing.funding.doors import claude_code, ext_authz
    from billing.metering.doors import otlp

    checks, telemetry = Door("doors"), Door("otlp")
    checks.add_router("", ext_authz.router)
    checks.add_router("", claude_code.router)
    telemetry.add_router("", otlp.router)
    return checks, telemetry


checks, telemetry = mount()
