"""Operators of each role, signed in, and their steps on what everybody pays."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse

from billing.metering.actions.recording import record_usage
from billing.models import ModelPrice
from billing.models.prices import RATE_FIELDS
from billing.prices.words import rate_text
from tests.customer.conftest import seen_in, signed_in, text_of
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture
def administrator(db) -> Client:
    """Sets prices."""
    return signed_in("Administrators")


def url_of(step: str, **about) -> str:
    """A step's page, about something."""
    return reverse(f"admin:billing_{step}", query=about or None)


def look(client, step, about, /, **typed):
    """What a step says it would do."""
    return client.post(url_of(step, **about), typed)


def press(client, step, about, shown, /, *, reason="Ticket 8841", **typed):
    """Press the button of a preview that was shown."""
    sent = {**typed, "reason": reason, "seen": seen_in(shown)}
    return client.post(url_of(step, **about), sent, follow=True)


def take(client, step, about, /, *, reason="Ticket 8841", **typed):
    """Look at the preview, then press."""
    shown = look(client, step, about, **typed)
    return press(client, step, about, shown, reason=reason, **typed)


def rates_typed(model: str, **changed: str) -> dict[str, str]:
    """A model's rates in dollars as they stand in the form, some of them typed anew."""
    row = ModelPrice.objects.in_force().get(provider="anthropic", model=model)
    return {name: rate_text(getattr(row, name)) for name in RATE_FIELDS} | changed


def undo_links(client) -> list[str]:
    """The ways back that the audit shows."""
    page = text_of(client.get(reverse("admin:accounts_auditentry_changelist")))
    return re.findall(r'<a href="([^"]+)">Undo</a>', page)


@pytest.fixture
def used(acme, bob, alice, now):
    """Bob and Alice used Sonnet in October, for $6 together."""
    enable_extra_usage(acme)
    october = dt.datetime(2026, 10, 20, 12, tzinfo=dt.UTC)
    events = [
        event(bob, usd="4", at=october),
        event(alice, usd="2", at=october),
    ]
    record_usage(events, organization_id=acme.pk, now=october)
