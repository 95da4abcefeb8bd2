"""Schemathesis against our own OpenAPI document: every call answers what the document
says, whatever is sent.
"""

from __future__ import annotations

from unittest import SkipTest

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.python._constants.orchestrator import make_constants_value_source

from accounts.models import ApiKey
from config.api import api
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage

schema = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/v1/"))
schema.app = get_wsgi_application()
OPERATIONS = {one.ok().label: one.ok() for one in schema.get_all_operations()}


def not_meant_for(case, response) -> list:
    """Checks that don't fit a case: the key is ours in every case, unknown query names
    are ignored by design, and a business rule (which names its `code`) may refuse
    what the document's shapes allow.
    """
    by_name = dict(zip(CHECKS.get_all_names(), CHECKS.get_all(), strict=True))
    known = {parameter.name for parameter in case.operation.query}
    unfit = []
    if set(case.query or {}) - known or case.headers.get(
        "Authorization"
    ) != response.request.headers.get("Authorization"):
        unfit.append(by_name["negative_data_rejection"])
    if response.status_code in (409, 422) and "code" in response.json():
        unfit.append(by_name["positive_data_acceptance"])
    return [*unfit, by_name["ignored_auth"]]


@pytest.fixture(autouse=True)
def _one_connection():
    """A request ends the connection it finds inside a transaction; the test's own has
    to live on, as in Django's client.
    """
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def answers_what_the_document_says(case, acme, now):
    enable_extra_usage(acme)
    key = (
        "xu_test_acme_meter_read_manage"
        if ApiKey.objects.exists()
        else make_api_key(acme, now=now)
    )
    response = case.call(headers={"Authorization": f"Bearer {key}"})
    case.validate_response(response, excluded_checks=not_meant_for(case, response))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.django_db
def test_every_call_answers_what_the_document_says(operation, acme, now):
    """As by `schema.parametrize`, which would make the cases when tests are collected: half
    of that time is theirs, and each of pytest's workers collects all.
    """
    load_all_checks()
    tried = build_operation_test(
        config=schema.config,
        operation=OPERATIONS[operation],
        test_func=answers_what_the_document_says,
        given_kwargs={},
        feedback=FeedbackSources(
            constants_value_source=make_constants_value_source(schema)
        ),
    )
    try:
        tried(acme=acme, now=now)
    except SkipTest as without_cases:
        pytest.fail(f"nothing was tried: {without_cases}")
