"""The API root: one NinjaAPI, strict JSON in, and a problem document (RFC 9457) for
every error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.errors import (
    AuthenticationError,
    AuthorizationError,
    HttpError,
    ValidationError,
)
from ninja.openapi.docs import Swagger
from ninja.operation import Operation
from ninja.parser import Parser

from accounts.api_access import (
    MissingScope,
    OtherMember,
    Unauthorized,
    note_wrong_key,
    wrong_key_text,
)
from config.errors import DETAILS, FAULT
from config.kit.api import come_back, problem
from config.kit.clock import ClockIsOff
from config.kit.errors import BusinessError
from config.kit.limits import TooManyCalls
from config.kit.outages import CLOCK, cause_of, count_unavailable, seconds_to_wait
from config.kit.strict_json import InvalidJson, loads
from config.outages import again, unavailable

log = logging.getLogger("extra_usage.api")


class StrictParser(Parser):
    """Bodies through `kit.strict_json`; more than 1 MiB is told apart from malformed."""

    # Calls that judge odd parts of their body one by one, by their path.
    judges: ClassVar[dict[str, Callable[[Any], Any]]] = {}

    def parse_body(self, request: HttpRequest) -> Any:
        """The JSON value of the body. Raises InvalidJson, RequestDataTooBig."""
        return loads(request.body, judge=self.judges.get(request.path_info))


class LocalSwagger(Swagger):
    """Swagger UI from our own files, without the inline script our
    Content-Security-Policy refuses.
    """

    def render_page(
        self, request: HttpRequest, api: NinjaAPI, **kwargs: Any
    ) -> HttpResponse:
        """The documentation page."""
        return render(
            request, "api_docs.html", {"openapi_url": self.get_openapi_url(api, kwargs)}
        )


# What the names of calls begin with in the OpenAPI document, by tag. Generated clients
# are called so: never change one.
PUBLISHED_GROUPS = {
    "Metering": "billing_api_metering",
    "Reading": "billing_api_reading",
    "Managing": "billing_api_managing",
    "Requests": "requests_inbox_api",
}


class ExtraUsageAPI(NinjaAPI):
    """Describes errors as the problem documents they are, with 405 and 500 that any
    call can answer.
    """

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name a call has in generated clients: as it was first published, wherever
        its view lives.
        """
        view = operation.view_func
        group = PUBLISHED_GROUPS.get((operation.tags or [""])[0], "")
        if view.__module__.startswith("billing.documents"):
            group = "billing_api_documents"
        return f"{group}_{view.__name__}"

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        """The OpenAPI document."""
        schema = super().get_openapi_schema(**kwargs)
        for path in schema["paths"].values():
            for operation in path.values():
                _describe_errors(operation["responses"])
        return schema


ERROR_HEADERS: dict[int, dict[str, Any]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    HTTPStatus.TOO_MANY_REQUESTS: {
        "Retry-After": {
            "description": "After how many seconds to send the call again.",
            "schema": {"type": "integer", "minimum": 1},
        }
    },
}


def _describe_errors(responses: dict[Any, Any]) -> None:
    for status, response in responses.items():
        if int(status) >= 400 and "application/json" in response.get("content", {}):
            response["content"] = {
                "application/problem+json": response["content"]["application/json"]
            }
            if int(status) in ERROR_HEADERS:
                response["headers"] = ERROR_HEADERS[int(status)]


def published(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of the documentation, which API_DOCS can take away."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.API_DOCS:
            return problem(status=404, detail="There is nothing here.")
        return view(request, *args, **kwargs)

    return answer


api = ExtraUsageAPI(
    title="Extra usage",
    version="1",
    description=(
        "Ask before each request, report after it, read and manage. Amounts are decimal"
        " strings of USD."
    ),
    docs_url="/docs",
    docs=LocalSwagger(),
    docs_decorator=published,
    openapi_url="/openapi.json",
    parser=StrictParser(),
)


@api.exception_handler(Unauthorized)
@api.exception_handler(AuthenticationError)
def unauthorized(request: HttpRequest, error: Exception) -> HttpResponse:
    """No key, a wrong one, a revoked one or one whose time is over."""
    try:
        note_wrong_key(request)
    except TooManyCalls as spent:
        return too_many(request, spent)
    return problem(status=401, detail=wrong_key_text(request))


# By the names of `kit.limits`: what there was too much of.
TOO_MANY = {
    "hot": "This API key is called more often than this installation allows.",
    "member": "This member is checked more often than this installation allows.",
    "calls": "This API key is called more often than this installation allows.",
    "reports": "This API key asks for more reports than this installation allows.",
    "tests": "This organization sends more tests than are allowed.",
    "wrong_keys": "Too many calls without a valid API key came from this address.",
}


@api.exception_handler(TooManyCalls)
def too_many(request: HttpRequest, error: TooManyCalls) -> HttpResponse:
    """A limit is used up; nothing was looked at, so the same call may be sent again."""
    answer = problem(
        status=429,
        detail=f"{TOO_MANY[error.name]} Send it again in {error.seconds} seconds.",
        code="too_many_calls",
    )
    answer["Retry-After"] = str(error.seconds)
    return answer


@api.exception_handler(MissingScope)
def missing_scope(request: HttpRequest, error: MissingScope) -> HttpResponse:
    """A good key that may not do this."""
    return problem(
        status=403,
        detail=f"This key lacks the scope “{error.scope}”.",
        scope=error.scope,
    )


@api.exception_handler(OtherMember)
def other_member(request: HttpRequest, error: OtherMember) -> HttpResponse:
    """A personal token asked about somebody else."""
    return problem(
        status=403,
        detail=(
            "This personal token is for its own member alone. Leave “member” out, or"
            " use a key of the organization."
        ),
        code="other_member",
    )


@api.exception_handler(AuthorizationError)
def not_allowed(request: HttpRequest, error: Exception) -> HttpResponse:
    """Whatever else is forbidden."""
    return problem(status=403, detail=str(error))


@api.exception_handler(BusinessError)
def business_error(request: HttpRequest, error: BusinessError) -> HttpResponse:
    """A rule said no: its sentence, and its code for machines."""
    members: dict[str, Any] = {"code": error.code}
    if error.field:
        members["errors"] = [{"loc": ["body", error.field], "msg": str(error)}]
    return problem(status=error.status, detail=str(error), **members)


@api.exception_handler(ValidationError)
def invalid_input(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Malformed input: what is wrong where.

    A list longer than allowed is too large rather than malformed.
    """
    errors = [
        {"loc": list(one["loc"]), "msg": one["msg"].removeprefix("Value error, ")}
        for one in error.errors
    ]
    too_many = next((one for one in error.errors if one["type"] == "too_many"), None)
    if too_many:
        most = too_many["ctx"]["most"]
        return problem(
            status=413,
            detail=(
                f"At most {most:,} {too_many['loc'][-1]} per call; send the rest in "
                "further calls."
            ),
        )
    return problem(status=422, detail="The input is not valid.", errors=errors)


@api.exception_handler(InvalidJson)
def invalid_json(request: HttpRequest, error: InvalidJson) -> HttpResponse:
    """A body that is no JSON."""
    return problem(
        status=422,
        detail=str(error),
        code="invalid_json",
        errors=[{"loc": ["body"], "msg": str(error)}],
    )


@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, error: Exception) -> HttpResponse:
    """More than 1 MiB."""
    return problem(
        status=413,
        detail=DETAILS[413],
    )


@api.exception_handler(SuspiciousOperation)
def suspicious(request: HttpRequest, error: Exception) -> HttpResponse:
    """What Django refuses to read, such as a query of more than 1,000 parameters."""
    return problem(status=400, detail="The request is not one this API can read.")


@api.exception_handler(Http404)
def missing(request: HttpRequest, error: Exception) -> HttpResponse:
    """What is not there, or belongs to somebody else."""
    return problem(status=404, detail=str(error) or "There is nothing here.")


@api.exception_handler(ClockIsOff)
def clock_is_off(request: HttpRequest, error: ClockIsOff) -> HttpResponse:
    """This host can't tell the time, so another one should answer, or this one later."""
    count_unavailable(CLOCK)
    return come_back(
        f"{error} Nothing was changed; send the same request again.", code="clock_off"
    )


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Ninja's own errors; a body its parser refused comes as the cause."""
    if isinstance(error.__cause__, InvalidJson):
        return invalid_json(request, error.__cause__)
    if isinstance(error.__cause__, RequestDataTooBig):
        return too_large(request, error.__cause__)
    return problem(status=error.status_code, detail=str(error))


@api.exception_handler(DatabaseError)
@api.exception_handler(InterfaceError)
def database_error(request: HttpRequest, error: Exception) -> HttpResponse:
    """The database is away or busy: 503, to be sent again. All else is a fault of ours."""
    seconds = seconds_to_wait(error)
    if seconds is None:
        return server_error(request, error)
    log.warning("api.unavailable: %s", error)
    return unavailable(request, seconds=seconds, cause=cause_of(error))


@api.exception_handler(Exception)
def server_error(request: HttpRequest, error: Exception) -> HttpResponse:
    """A fault of ours: logged whole, answered without details.

    Nothing is half-done; whether something was done is not known here.
    """
    log.exception("api.failed", exc_info=error)
    return problem(status=500, detail=f"{FAULT} {again(request)}")


def mount() -> NinjaAPI:
    """The API with its routers."""
    from accounts import api as people
    from billing.caps import api as caps
    from billing.documents import api as documents
    from billing.funding import api as checks
    from billing.metering.api import receipts, unattributed
    from billing.metering.api import (
        reports as usage,  # the router of /usage, with its GET
    )
    from billing.metering.api.odd_events import mark_odd_events
    from billing.notices.api import notices, webhooks
    from billing.reports import api as organization
    from requests_inbox import api as requests

    StrictParser.judges["/api/v1/usage"] = mark_odd_events
    for router in (
        checks.router,
        usage.router,
        organization.router,
        receipts.router,
        unattributed.router,
        documents.router,
        caps.router,
        webhooks.router,
        notices.router,
        people.router,
        requests.reading,
        requests.managing,
    ):
        api.add_router("", router)
    return api


mount()
