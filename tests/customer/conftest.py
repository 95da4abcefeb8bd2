"""Operators of each role, signed in, and their steps on one customer."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from tests.factories.people import make_user


def signed_in(role: str) -> Client:
    """A browser of an operator with this role."""
    person = make_user(f"{role.lower()}@operators.example", role, is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def administrator(db) -> Client:
    """Olga may do everything that has a step."""
    return signed_in("Administrators")


@pytest.fixture
def support(db) -> Client:
    """Reads."""
    return signed_in("Support")


def page_url(organization) -> str:
    """The customer's page."""
    return reverse("admin:accounts_organization_change", args=[organization.pk])


def step_url(organization, name: str) -> str:
    """A step's page."""
    return reverse("admin:customer_step", args=[organization.pk, name])


def preview(client, organization, name, /, **typed):
    """What a step says it would do."""
    return client.post(step_url(organization, name), typed)


def seen_in(answer) -> str:
    """What the preview puts into the form, for the press of the button."""
    found = re.search(r'name="seen" value="(\w+)"', answer.content.decode())
    return found[1] if found else ""


def take(client, organization, name, /, *, reason="Ticket 8841", **typed):
    """Look at the preview, then press."""
    shown = preview(client, organization, name, **typed)
    sent = {**typed, "reason": reason, "seen": seen_in(shown)}
    return client.post(step_url(organization, name), sent, follow=True)


def text_of(answer) -> str:
    """A page's words, with entities undone."""
    import html

    return html.unescape(answer.content.decode())
