"""Every step of an operator as each role: 403 without its permission, and no press of it on
any page; nonsense in every field and rows that are not there are never an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from accounts.admin.steps import STEPS
from accounts.models import AuditEntry, Organization, OutgoingMail, User
from billing.models import (
    Invoice,
    Payment,
)
from billing.prices.admin.allowance_steps import EndAllowance, SetAllowance
from billing.prices.admin.factor_steps import FactorStep
from billing.prices.admin.name_steps import EndNameStep, NameStep
from billing.prices.admin.rate_steps import RateStep
from config.kit.fields import new_key
from tests.customer.conftest import page_url, step_url
from tests.operators.rows import fill
from tests.operators.test_walk import ROLES, SUPERUSER, signed_in_as

CATALOG = (
    RateStep,
    FactorStep,
    NameStep,
    EndNameStep,
    SetAllowance,
    EndAllowance,
)
ODD = (
    "",
    "x" * 5_000,
    "\x00",
    "-1",
    "NaN",
    "Infinity",
    "1e999",
    "9" * 30,
    "٣",
    "2026-99",
    "'; --",
)
# What a step takes; a field is made odd at a time.
GOOD = {
    "standard": "60",
    "premium": "10",
    "plan": "enterprise_seat",
    "settlement": "postpaid",
    "timezone": "Asia/Tokyo",
    "name": "New Name",
    "billing_email": "b@walk.example",
    "invites_freely": "on",
    "person": "member@walk-0.example",
    "email": "new@walk-0.example",
    "amount": "5",
    "way": "less",
    "event": "walk-0",
    "month": "2026-10",
    "models": "",
    "reason": "Ticket",
}


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


@pytest.fixture
def customer(db, now) -> Organization:
    """One of two, each with a row of everything."""
    fill(range(2), now=now)
    return Organization.objects.get(slug="walk-0")


def catalog_urls(step) -> Iterator[str]:
    """A step's page, about nothing and about a row."""
    url = reverse(f"admin:{step.name}")
    yield url
    row = {
        RateStep: "?provider=anthropic&model=claude-sonnet-5&context_above=0",
        FactorStep: "?condition=speed&value=fast&pattern=anthropic/*",
        SetAllowance: "?plan=team&seat_tier=standard&name=session",
        EndAllowance: "?plan=team&seat_tier=standard&name=session",
    }.get(step, "?name=name-0")
    yield url + row


def answers(browser: Client, url: str) -> tuple[int, int]:
    """To a look and to an empty press."""
    return browser.get(url).status_code, browser.post(url, {}).status_code


@pytest.mark.parametrize("role", ROLES)
def test_a_step_opens_and_stands_on_the_page_for_its_permission_alone(role, customer):
    operator = signed_in_as(role)
    person = User.objects.get(email="op@example.com")
    page = unescape(operator.get(page_url(customer)).content.decode())
    before = AuditEntry.objects.exclude(organization=None).count()
    wrong = []
    for name, step in STEPS.items():
        may, url = person.has_perm(step.permission), step_url(customer, name)
        if not may and answers(operator, url) != (403, 403):
            wrong.append((name, "is open"))
        if may and (operator.get(url).status_code, *answers(operator, url)) not in (
            (200, 200, 422),
            (200, 200, 200),
        ):
            wrong.append((name, answers(operator, url)))
        is_told = url in page or str(step.why_not(customer) or "\0") in page
        if is_told != may and (may or url in page):
            wrong.append((name, "on the page"))
    for step in CATALOG:
        for url in catalog_urls(step):
            got = answers(operator, url)
            if not person.has_perm(step.permission):
                wrong += [] if got == (403, 403) else [(url, got)]
            elif not set(got) <= {200, 302, 404, 422}:
                wrong.append((url, got))
    may_map = person.has_perm(NameStep.permission)
    unknown = reverse("admin:billing_unknownmodel_changelist")
    shown = operator.get(unknown).content.decode()
    if ('name="same_as"' in shown) != may_map:
        wrong.append(unknown)
    if (operator.post(unknown, {}).status_code == 403) == may_map:
        wrong.append(("post", unknown))
    assert wrong == []
    assert AuditEntry.objects.exclude(organization=None).count() == before


def theirs(organization: Organization) -> dict[str, str]:
    """Rows of a customer, by the field that takes them."""
    of = {"organization": organization}
    return {
        "invoice": str(Invoice.objects.get(**of).pk),
        "payment": str(Payment.objects.get(**of).pk),
        "keys": str(organization.api_keys.order_by("pk")[0].pk),
        "mail": str(OutgoingMail.objects.filter(**of).order_by("pk")[0].pk),
    }


def test_nonsense_in_any_field_is_never_an_error(customer):
    operator = signed_in_as(SUPERUSER)
    other = Organization.objects.get(slug="walk-1")
    strange = theirs(other) | {
        "person": "member@walk-1.example",
        "event": "walk-1",
    }
    wrong = []
    for name, step in STEPS.items():
        url = step_url(customer, name)
        fields = list(step.form.base_fields)
        good = {one: (GOOD | theirs(customer)).get(one, "") for one in fields}
        good |= {"key": new_key()} if "key" in good else {}
        for field in fields:
            for odd in (*ODD, strange.get(field, "1")):
                answer = operator.post(url, good | {field: odd})
                if answer.status_code not in (200, 302, 422):
                    wrong.append((name, field, odd[:20], answer.status_code))
        for odd in ODD:
            asked = dict.fromkeys(fields, odd)
            for status in (
                operator.get(url, asked).status_code,
                operator.post(url, asked, headers={"HX-Request": "true"}).status_code,
            ):
                if status not in (200, 422):
                    wrong.append((name, "all", odd[:20], status))
    assert wrong == []


def test_rows_of_another_customer_are_refused(customer):
    operator = signed_in_as(SUPERUSER)
    other = Organization.objects.get(slug="walk-1")
    strange = theirs(other) | {
        "person": "member@walk-1.example",
        "event": "walk-1",
    }
    taken = []
    for name, step in STEPS.items():
        fields = list(step.form.base_fields)
        good = {one: GOOD.get(one, "") for one in fields}
        good |= {"key": new_key()} if "key" in good else {}
        for field in set(fields) & set(strange):
            answer = operator.post(
                step_url(customer, name), good | {field: strange[field]}
            )
            if answer.status_code != 422:
                taken.append((name, field, answer.status_code))
    assert taken == []


CATALOG_GOOD = {
    "provider": "anthropic",
    "model": "claude-sonnet-5",
    "context_above": "0",
    "starts_on": "2026-11-23",
    **dict.fromkeys(
        (
            "input_nanos",
            "output_nanos",
            "cache_write_5m_nanos",
            "cache_write_1h_nanos",
            "cache_read_nanos",
            "web_search_nanos",
        ),
        "3",
    ),
    "condition": "speed",
    "value": "warp",
    "pattern": "anthropic/claude-sonnet-*",
    "millionths": "2",
    "plan": "team",
    "seat_tier": "standard",
    "name": "session",
    "amount_nanos": "5",
    "length_seconds": "5",
    "same_as": "anthropic/claude-sonnet-5",
    "reason": "x",
}


def test_nonsense_in_any_field_of_a_catalog_step_is_never_an_error(customer, now):
    operator = signed_in_as(SUPERUSER)
    wrong = []
    for step in CATALOG:
        url = reverse(f"admin:{step.name}")
        for field in step({}).form(None, now).fields:
            for odd in ODD:
                sent = CATALOG_GOOD | {field: odd}
                status = operator.post(url, sent).status_code
                if status not in (200, 302, 422):
                    wrong.append((url, field, odd[:20], status))
    unknown = reverse("admin:billing_unknownmodel_changelist")
    for odd in ODD:
        for sent in ({"name": odd, "same_as": odd}, {"name": "x", "same_as": odd}):
            status = operator.post(unknown, sent).status_code
            if status not in (200, 302, 422):
                wrong.append((unknown, odd[:20], status))
    assert wrong == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_not_there_leads_nowhere_or_back(customer, method):
    operator = signed_in_as(SUPERUSER)
    wrong = []
    for number in (0, 999_999, int("9" * 30)):
        pages = [reverse("admin:customer_step", args=[number, one]) for one in STEPS]
        for name in ("customer_look", "customer_look_end", "billing_payment_refund"):
            pages.append(reverse(f"admin:{name}", args=[number]))
        for name in ("void", "mark-paid", "credit-note", "nonsense"):
            pages.append(reverse("admin:billing_invoice_step", args=[number, name]))
        for name in ("erase", "export", "reset_two_factor", "change", "history"):
            pages.append(reverse(f"admin:accounts_user_{name}", args=[number]))
        pages.append(reverse("admin:auth_user_password_change", args=[number]))
        pages.append(reverse("admin:accounts_organization_change", args=[number]))
        for page in pages:
            status = getattr(operator, method)(page).status_code
            if status not in (302, 404, 405):
                wrong.append((page, status))
    assert wrong == []


def test_nonsense_in_the_address_of_a_catalog_step_is_never_an_error(customer):
    operator = signed_in_as(SUPERUSER)
    wrong = []
    for step in CATALOG:
        for odd in ODD:
            asked = dict.fromkeys(CATALOG_GOOD, odd)
            status = operator.get(reverse(f"admin:{step.name}"), asked).status_code
            if status not in (200, 302, 404, 422):
                wrong.append((step.name, "asked", odd[:20], status))
    assert wrong == []
