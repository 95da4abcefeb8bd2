"""A customer with a row in every table that operators see, as often as it is wanted: what
counts money by the product's acts, the rest written down.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.core.cache import cache
from django.db import models

from accounts.models import Erasure, Membership, Organization, Plan, User
from billing.metering.actions.recording import record_usage
from billing.models import (
    BillingAccount,
    BillingMonth,
    MonthReopening,
    Payment,
    UsageEvent,
)
from config.kit.limits import forget_calls
from tests.factories.balances import give_card, turn_on
from tests.factories.people import (
    MembershipFactory,
    make_api_key,
    make_organization,
    make_user,
)
from tests.factories.usage import event

APPS = ("accounts", "billing", "requests_inbox")
TABLES = [one for one in admin.site._registry if one._meta.app_label in APPS]
# What a table wants beside values of the right type.
SAID: dict[str, dict[str, Any]] = {
    "outgoingmail": {
        "kind": "operator_looked",
        "user": None,
        "address": "a@x.example",
        "dropped_at": True,
        "attempts": 9,
        "last_error": "550 no such mailbox",
    },
    "invoice": {
        "status": "open",
        "number": "R-1",
        "sequence": 1,
        "exact_nanos": 10**9,
        "subtotal_nanos": 10**9,
        "total_nanos": 10**9,
        "issued_at": True,
        "due_on": dt.date(2026, 11, 20),
        "gateway_error": "no such customer",
    },
    "creditnote": {"subtotal_nanos": 10**7, "total_nanos": 10**7},
    "statement": {"opening_nanos": 0, "closing_nanos": 0},
    "dispute": {"status": "open", "invoice": None},
    "numbergap": {"series": "invoice"},
    "billingmonth": {"state": "closed", "closed_at": True, "edition": 1},
    "monthreopening": {"edition": 1},
    "usageadjustment": {"month_on": dt.date(2026, 11, 1)},
    "usagerequest": {"status": "pending", "reason": "organization_cap"},
    "pricefactor": {"pattern": "anthropic/*", "millionths": 1_100_000},
    "modelalias": {"provider": "anthropic", "model": "claude-sonnet-5"},
    "modelprice": {"provider": "anthropic", "source": "operator"},
    "invoicerefund": {"gateway_id": "re_1"},
    "includedwindow": {"is_latest": False},
    "apikey": {"membership": None},
    "channel": {"paused_at": None, "paused_why": ""},
    "externalid": {"issuer": "okta", "subject": "00u1", "name": "okta:00u1"},
    "auditentry": {"action": "organization.seats", "from_value": 1, "to_value": 2},
}
# By acts, or by migrations.
WRITTEN = {
    "billingaccount",
    "erasure",
    "ledgerentry",
    "paymentcard",
    "purchasereceipt",
    "seatallowance",
    "spendcap",
    "unknownmodel",
}


def take_more_lists() -> None:
    """The clock stands, so how many lists one may take in a while is counted anew."""
    cache.clear()
    forget_calls()


def fill(numbers: range, *, now: dt.datetime) -> None:
    """A customer with a row of everything for each number."""
    for number in numbers:
        _customer(number, now)


def _customer(number: int, now: dt.datetime) -> None:
    """Prepaid, in use, with rows in all the other tables."""
    organization, member = _prepaid(number, now)
    made: dict[type[models.Model], Any] = {
        Organization: organization,
        User: member.user,
        Membership: member,
        Payment: Payment.objects.get(organization=organization),
        UsageEvent: UsageEvent.objects.get(event_id=f"walk-{number}"),
    }
    # A month with an invoice to pay is not opened again, so that comes first.
    BillingAccount.objects.filter(organization=organization).update(
        frozen_through_on=dt.date(2026, 10, 1)
    )
    for model in (BillingMonth, MonthReopening, *TABLES):
        if model._meta.model_name not in WRITTEN:
            _row(model, number, now, made)
    gone = make_user(f"gone@walk-{number}.example", f"Gone {number}")
    _row(Erasure, number, now, {User: gone})


def _prepaid(number: int, now: dt.datetime) -> tuple[Organization, Membership]:
    """Two people; $100 bought; an event of a known and one of an unknown model."""
    owner = make_user(f"owner@walk-{number}.example", f"Owner {number}")
    organization = make_organization(
        f"walk-{number}", owner=owner, now=now, plan=Plan.TEAM
    )
    person = make_user(f"member@walk-{number}.example", f"Member {number}")
    member = MembershipFactory(organization=organization, user=person)
    Authenticator.objects.create(user=person, type="totp", data={})
    give_card(organization, "works", now=now)
    turn_on(organization, now=now)
    make_api_key(organization, now=now)
    known = event(member, at=now, usd="60", id=f"walk-{number}")
    unknown = replace(event(member, at=now, usd="1"), model=f"unheard-of-{number}")
    record_usage([known, unknown], organization_id=organization.pk, now=now)
    return organization, member


def _row(
    model: type[models.Model], number: int, now: dt.datetime, made: dict[Any, Any]
) -> Any:
    """One row of a table for this customer; what it refers to is made as well."""
    if model in made:
        return made[model]
    said = SAID.get(model._meta.model_name or "", {})
    values: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.name in said:
            value = said[field.name]
            values[field.name] = now if value is True else value
        elif isinstance(field, models.ForeignKey):
            related = field.related_model
            known = made.get(related)
            if known is None and not field.null:
                known = _row(related, number, now, made)
            values[field.name] = known
        elif not field.primary_key and not field.null and not field.has_default():
            values[field.name] = _value(field, number, now)
    made[model] = model._default_manager.create(**values)
    return made[model]


def _value(field: Any, number: int, now: dt.datetime) -> Any:
    """Something of the right type, another for each number."""
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.DateTimeField):
        return now + dt.timedelta(seconds=number + 1)
    if isinstance(field, models.DateField):
        return dt.date(2026, 10, 1)
    if isinstance(field, models.JSONField):
        return {}
    if isinstance(field, models.BooleanField):
        return False
    if isinstance(field, models.IntegerField):
        return number + 1
    if field.name == "zone":
        return "UTC"
    return f"{field.name[:8]}-{number}"[: field.max_length]
