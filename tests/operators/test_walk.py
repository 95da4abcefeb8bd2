"""Every page of the operators' site as each role, in one walk: never an error, no press
that is refused, no list or form beyond the role; nothing at all for who is no operator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.admin.steps import STEPS
from accounts.models import Organization, User
from billing.metering.actions.recording import record_usage
from config.operators import ADMINISTRATORS, FINANCE, SUPPORT
from tests.customer.conftest import page_url, step_url
from tests.factories.people import make_user
from tests.factories.usage import enable_extra_usage, event
from tests.operators.rows import TABLES, fill, take_more_lists

SUPERUSER = "superuser"
ROLES = (SUPPORT, FINANCE, ADMINISTRATORS, SUPERUSER)
CATALOG = (
    "seatallowance_set",
    "seatallowance_end",
    "pricefactor_set",
    "modelalias_set",
    "modelalias_end",
    "modelprice_set",
)
WITHIN_A_LIST = re.compile(r'href="(\?[^"#]+)"')
LINKS = re.compile(r'href="(/admin/[^"#]*)"')
ANY_NUMBER = re.compile(r"\d+")
# 409 and 422: a page that says in a sentence why not.
FINE, REFUSED = {200, 302, 409, 422}, {403}


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


def signed_in_as(role: str) -> Client:
    """A browser of an operator with one role."""
    person = make_user(
        "op@example.com", "Olga", is_staff=True, is_superuser=role == SUPERUSER
    )
    if role != SUPERUSER:
        person.groups.add(Group.objects.get(name=role))
    browser = Client(raise_request_exception=False)
    browser.force_login(person)
    return browser


def pages_of(model: Any) -> Iterator[str]:
    """A table's list, searched too, its CSV, its form, its first row and that's history."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    listed = reverse(f"{name}_changelist")
    yield listed
    if model._meta.model_name == "unknownmodel":
        return
    yield from (f"{listed}?q=x", f"{listed}?customer=1", f"{listed}?customer=x")
    labels = [model._meta.app_label, model._meta.model_name]
    yield reverse("admin:csv_changelist", args=labels)
    yield reverse(f"{name}_add")
    for pk in model._default_manager.order_by("pk").values_list("pk", flat=True)[:1]:
        for page in ("change", "history", "delete"):
            yield reverse(f"{name}_{page}", args=[pk])


def every_page() -> list[str]:
    """What an operator can open: of one customer, and of everything."""
    customer = Organization.objects.get(slug="walk-0")
    start = reverse("admin:index")
    found = [start, start + "?needs=all", start + "?customers=needs"]
    found += [start + "?customers=stopped", reverse("admin:all_tables")]
    found += [reverse("admin:search") + f"?q={text}" for text in ("walk", "walk-0", "")]
    found += [reverse("admin:customer_look", args=[customer.pk])]
    found += [step_url(customer, name) for name in STEPS]
    found += [reverse(f"admin:billing_{name}") for name in CATALOG]
    member = User.objects.get(email="member@walk-0.example")
    for page in ("change", "erase", "reset_two_factor"):
        found.append(reverse(f"admin:accounts_user_{page}", args=[member.pk]))
    return found + [page for model in TABLES for page in pages_of(model)]


def got(browser: Client, address: str) -> tuple[int, str]:
    """A page's status and text; a file's is not read."""
    if "/csv/" in address:
        take_more_lists()
    answer = browser.get(address)
    if answer.streaming:
        b"".join(answer.streaming_content)
        return answer.status_code, ""
    return answer.status_code, unescape(answer.content.decode())


@pytest.mark.parametrize("role", ROLES)
def test_no_page_fails_and_no_press_is_refused(role, db, now):
    """Sorts and filters don't ask for the role: a superuser takes each, the others share
    them.
    """
    fill(range(1), now=now)
    assert [one.__name__ for one in TABLES if not one._default_manager.exists()] == []
    operator = signed_in_as(role)
    wrong, offered = [], {}
    for address in every_page():
        status, text = got(operator, address)
        if status not in FINE | REFUSED:
            wrong.append((address, status))
        for link in LINKS.findall(text):
            kind = link.partition("?")[0] if "/csv/" in link else link
            offered.setdefault(ANY_NUMBER.sub("#", kind), (link, address))
        found = [] if "?" in address else WITHIN_A_LIST.findall(text)
        choices = sorted(set(found))
        if role != SUPERUSER:
            choices = choices[ROLES.index(role) :: 3]
        for choice in choices:
            status, _text = got(operator, address + choice)
            if status not in FINE:
                wrong.append((address + choice, status))
    for link, seen_on in offered.values():
        status, _text = got(operator, link)
        if status not in FINE | {405}:  # signing out is a press
            wrong.append((link, status, f"offered on {seen_on}"))
    assert not wrong, "\n".join(map(str, wrong))


ADDS = {
    "user": {ADMINISTRATORS, SUPERUSER},
    "organization": {ADMINISTRATORS, SUPERUSER},
    "billingdetails": {FINANCE, ADMINISTRATORS, SUPERUSER},
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reads_every_table_adds_to_few_and_deletes_nothing(role, db, now):
    fill(range(1), now=now)
    operator = signed_in_as(role)
    wrong = []
    for model in TABLES:
        listed, *others = pages_of(model)
        if operator.get(listed).status_code != 200:
            wrong.append(listed)
        for page in others:
            if page.endswith("/add/"):
                may = role in ADDS.get(model._meta.model_name, set())
                if operator.get(page).status_code != (200 if may else 403):
                    wrong.append(page)
                if not may and operator.post(page, {}).status_code != 403:
                    wrong.append(("post", page))
            elif page.endswith("/delete/"):
                wrong += [
                    (page, answer.status_code)
                    for answer in (operator.get(page), operator.post(page, {"post": 1}))
                    if answer.status_code not in (403, 404)
                ]
    assert wrong == []


@pytest.mark.parametrize("who", ["nobody", "a member", "an owner", "a former operator"])
def test_nobody_else_opens_any_page(who, db, now):
    fill(range(1), now=now)
    browser = Client(raise_request_exception=False)
    if who == "a former operator":
        person = make_user("was@example.com", "Was", is_superuser=True)
        browser.force_login(person)
    elif who != "nobody":
        name = "member" if who == "a member" else "owner"
        browser.force_login(User.objects.get(email=f"{name}@walk-0.example"))
    wrong = []
    for address in every_page():
        answer = browser.get(address)
        is_sent_away = answer.status_code == 302 and "/login/" in answer.url
        if not is_sent_away and answer.status_code not in (403, 404):
            wrong.append((address, answer.status_code))
    assert wrong == []


def test_where_two_factor_is_required_no_page_opens_without_it(db, now, settings):
    fill(range(1), now=now)
    settings.REQUIRE_OPERATOR_2FA = True
    operator = signed_in_as(SUPERUSER)
    opened = [one for one in every_page() if operator.get(one).status_code != 302]
    assert opened == []


def test_an_operator_without_a_role_opens_nothing_of_a_table(db, now):
    fill(range(1), now=now)
    browser = Client(raise_request_exception=False)
    browser.force_login(make_user("new@example.com", "New", is_staff=True))
    opened = [
        page
        for model in TABLES
        for page in pages_of(model)
        if browser.get(page).status_code not in (403, 404)
    ]
    assert opened == []
    assert browser.get(page_url(Organization.objects.get())).status_code == 403


def test_lists_show_no_nano_dollars(acme, bob, now):
    enable_extra_usage(acme)
    record_usage([event(bob, usd="1.20", at=now)], organization_id=acme.pk, now=now)
    operator = signed_in_as(SUPERUSER)
    for model in TABLES:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        page = operator.get(reverse(f"{base}_changelist")).content.decode()
        assert "nano-USD" not in page, model
        assert "1200000000" not in page, model
