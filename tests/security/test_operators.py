"""S16: operators can be given less than everything: three groups, and what each may do
in the admin.
"""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from config.operators import ADMINISTRATORS, FINANCE, SUPPORT
from tests.factories.balances import buy, make_bolt
from tests.factories.people import PASSWORD, make_user

OURS = [
    model
    for model in admin.site._registry
    if model._meta.app_label in ("accounts", "billing", "requests_inbox")
]
# Who may add, by model; nobody else, and nothing else can be added by hand.
ADDS = {
    "accounts.User": {ADMINISTRATORS},
    "accounts.Organization": {ADMINISTRATORS},
    "billing.BillingDetails": {ADMINISTRATORS, FINANCE},
}
GROUPS = [SUPPORT, FINANCE, ADMINISTRATORS]


def address(model, page, *args):
    opts = model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=args)


@pytest.fixture(params=GROUPS)
def group(request, db):
    return request.param


@pytest.fixture
def operator(client, group):
    """Signed in, of one group alone."""
    person = make_user("op@example.com", "Olga", is_staff=True)
    person.groups.add(Group.objects.get(name=group))
    client.force_login(person)
    return person


def test_s16_the_groups_are_there_from_the_first_migration_on(db):
    assert list(Group.objects.order_by("pk").values_list("name", flat=True)) == GROUPS


def test_s16_everybody_reads_every_list(client, acme, operator):
    refused = [
        model._meta.label
        for model in OURS
        if client.get(address(model, "changelist")).status_code != 200
    ]
    assert refused == []


def test_s16_who_may_add_what(client, acme, operator, group):
    may = set()
    for model in OURS:
        try:
            answer = client.get(address(model, "add"))
        except NoReverseMatch:
            continue
        assert answer.status_code in (200, 403), model
        if answer.status_code == 200:
            may.add(model._meta.label)
    assert may == {label for label, groups in ADDS.items() if group in groups}


@pytest.mark.parametrize(
    "what, page_name, who",
    [
        ("a person", "accounts_user_change", ADMINISTRATORS),
    ],
)
def test_s16_who_may_change_what(
    client, acme, bob, operator, group, what, page_name, who
):
    url = reverse(f"admin:{page_name}", args=[bob.user_id])
    assert client.get(url).status_code == 200
    assert (client.post(url, {}).status_code == 200) == (group == who), what


def test_s16_who_may_change_a_settlement(client, acme, operator, group):
    step = reverse("admin:customer_step", args=[acme.pk, "plan"])
    expected = 403 if group == SUPPORT else 200
    assert client.get(step).status_code == expected


def test_s16_who_may_reset_a_second_factor(client, bob, operator, group):
    page = reverse("admin:accounts_user_reset_two_factor", args=[bob.user_id])
    expected = 200 if group == ADMINISTRATORS else 403
    assert client.get(page).status_code == expected
    assert client.get(
        reverse("admin:auth_user_password_change", args=[bob.user_id])
    ).status_code == (expected)


def test_s16_who_may_pay_back_and_map_models(client, operator, group, now):
    payment = buy(make_bolt(now=now), "50", now=now)
    may = group in (FINANCE, ADMINISTRATORS)
    page = reverse("admin:billing_payment_refund", args=[payment.pk])
    assert client.get(page, follow=True).status_code == (200 if may else 403)
    is_administrator = group == ADMINISTRATORS
    assert operator.has_perm("billing.add_modelalias") is is_administrator


@pytest.fixture
def administrator(client, db):
    person = make_user("adm@example.com", "Adam", is_staff=True)
    person.groups.add(Group.objects.get(name=ADMINISTRATORS))
    client.force_login(person)
    return person


FIELDS = {"name": "Bob Feld", "language": "en", "is_active": "on", "is_staff": "on"}


def test_s16_an_administrator_makes_operators_of_a_group_and_no_superuser(
    client, bob, administrator
):
    support = Group.objects.get(name=SUPPORT)
    page = reverse("admin:accounts_user_change", args=[bob.user_id])
    html = client.get(page).content.decode()
    assert all(name in html for name in GROUPS)
    sent = {
        **FIELDS,
        "email": bob.user.email,
        "groups": [support.pk],
        "is_superuser": "on",
    }
    client.post(page, sent)
    person = User.objects.get(pk=bob.user_id)
    assert person.is_staff and not person.is_superuser
    assert list(person.groups.all()) == [support]
    assert person.has_perm("billing.view_payment")
    assert not person.has_perm("billing.add_ledgerentry")


def test_s16_a_superuser_is_out_of_an_administrators_reach(client, administrator):
    chief = make_user("chief@example.com", "Chief", is_staff=True, is_superuser=True)
    for page in (
        reverse("admin:accounts_user_change", args=[chief.pk]),
        reverse("admin:auth_user_password_change", args=[chief.pk]),
        reverse("admin:accounts_user_reset_two_factor", args=[chief.pk]),
    ):
        form = {"password1": "another long one", "password2": "another long one"}
        assert client.post(page, form).status_code == 403, page
    chief.refresh_from_db()
    assert chief.check_password(PASSWORD)


def test_s16_a_superuser_makes_one(client, bob):
    chief = make_user("chief@example.com", "Chief", is_staff=True, is_superuser=True)
    client.force_login(chief)
    page = reverse("admin:accounts_user_change", args=[bob.user_id])
    client.post(page, {**FIELDS, "email": bob.user.email, "is_superuser": "on"})
    assert User.objects.get(pk=bob.user_id).is_superuser
