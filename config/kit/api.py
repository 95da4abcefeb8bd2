"""What every call of the JSON API shares: how money and time are written, errors
described, lists limited.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Annotated, Any

from django.http import HttpResponse
from django.urls import register_converter
from django.urls.converters import StringConverter
from ninja import Schema
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError


class AnyTextConverter(StringConverter):
    """`{any:name}` in a path: whatever stands there, with slashes and line breaks."""

    regex = r"[\s\S]+"


register_converter(AnyTextConverter, "any")


Usd = Annotated[
    str,
    Field(
        description="USD as a decimal string with 9 places.", examples=["0.012345000"]
    ),
]


CentsUsd = Annotated[
    str, Field(description="USD as a decimal string with 2 places.", examples=["50.00"])
]


class Problem(Schema):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


AMOUNT_PATTERN = r"^(1000000(\.0{1,2})?|[0-9]{1,6}(\.[0-9]{1,2})?)$"


def _amount_text(value: Any) -> str:
    """A decimal string of USD in whole cents; says what is wrong with any other."""
    if not isinstance(value, str):
        raise ValueError('must be a decimal string such as "50.00", not a JSON number')
    if re.fullmatch(AMOUNT_PATTERN, value, re.ASCII):
        return value
    if re.fullmatch(r"[0-9]+\.[0-9]{3,}", value, re.ASCII):
        raise ValueError("has more than two decimal places; caps are in whole cents")
    if re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", value, re.ASCII):
        raise ValueError("is over the maximum of 1000000")
    raise ValueError(
        'must be USD from 0 to 1000000 as a plain decimal string such as "50.00"'
    )


AmountText = Annotated[
    str,
    BeforeValidator(_amount_text),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": AMOUNT_PATTERN,
            "examples": ["50.00"],
            "description": "USD from 0 to 1000000 with at most two decimal places, as a string.",
        }
    ),
]


def problem(*, status: int, detail: str = "", **members: Any) -> HttpResponse:
    """An `application/problem+json` answer (RFC 9457); `type` is about:blank, so `title` is
    the status' own phrase.
    """
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **members,
    }
    response = HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status=status,
        content_type="application/problem+json",
    )
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="extra-usage"'
    return response


ERRORS: dict[int, Any] = {
    401: Problem,
    403: Problem,
    404: Problem,
    409: Problem,
    413: Problem,
    422: Problem,
    429: Problem,
}


# Calls that a host refuses to answer wrong; the same again is right there or elsewhere.
UNAVAILABLE: dict[int, Any] = {503: Problem}
RETRY_AFTER_SECONDS = 5


def come_back(detail: str, **members: Any) -> HttpResponse:
    """503 with `Retry-After`: nothing was changed, and the same again is safe."""
    response = problem(status=503, detail=detail, **members)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def whole_number(value: Any) -> Any:
    """JSON knows one kind of number: 7.0 is the whole number 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def at_most(number: int) -> AfterValidator:
    """No list longer than `number`.

    Answered 413, which JSON Schema's maxItems has no word for.
    """

    def check(value: list[Any]) -> list[Any]:
        if len(value) > number:
            raise PydanticCustomError(
                "too_many", "has more than {most} items", {"most": number}
            )
        return value

    return AfterValidator(check)


def json_response(body: dict[str, Any]) -> HttpResponse:
    """A JSON answer as it is, without another validation of what was just built."""
    return HttpResponse(
        json.dumps(body, ensure_ascii=False), content_type="application/json"
    )
