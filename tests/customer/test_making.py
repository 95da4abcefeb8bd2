"""O1: a customer is made by name, plan and owner's address; the owner gets a mail with a
link and comes in by it.
"""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail as outbox
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.delivery import deliver
from accounts.models import AuditEntry, Organization, OutgoingMail, SeatTier, User
from tests.customer.conftest import page_url, seen_in, text_of

MAKE = "/admin/accounts/organization/add/"
TYPED = {"name": "Évora Labs", "plan": "team", "owner_email": "Eva@evora.example"}


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


def make(client, **typed):
    """Preview, then the button."""
    sent = {**TYPED, **typed}
    shown = client.post(MAKE, sent)
    return client.post(MAKE, {**sent, "seen": seen_in(shown)}, follow=True)


def test_o1_name_plan_and_address_are_enough(administrator, acme):
    shown = text_of(administrator.post(MAKE, TYPED))
    for proposed in ("evora-labs", "Prepaid", "5 Standard", "They are new here"):
        assert proposed in shown
    assert not Organization.objects.filter(slug="evora-labs").exists()
    done = make(administrator)
    assert "eva@evora.example gets a mail with a link" in text_of(done)
    made = Organization.objects.get(slug="evora-labs")
    assert (made.settlement, made.timezone) == ("prepaid", "UTC")
    assert made.billing_email == made.primary_owner.email == "eva@evora.example"
    assert SeatTier.objects.get(organization=made, tier="standard").bought == 5
    assert made.memberships.get().seat_tier == "standard"
    assert AuditEntry.objects.filter(action="organization.create").exists()
    assert administrator.get(page_url(made)).status_code == 200


def test_o1_the_owner_comes_in_by_the_mailed_link_and_is_proven(
    administrator, client, acme
):
    make(administrator)
    [mail] = OutgoingMail.objects.filter(kind="customer_welcome")
    outbox.outbox.clear()
    assert deliver(mail.pk)
    [letter] = outbox.outbox
    assert letter.to == ["eva@evora.example"]
    link = re.search(r"https?://\S+/password/reset/key/\S+", letter.body)[0]
    address = client.get(
        link.partition("//")[2].partition("/")[1] + link.split("/", 3)[3]
    )
    chosen = {"password1": "quite-a-long-secret", "password2": "quite-a-long-secret"}
    client.post(address.url, chosen)
    owner = User.objects.get(email="eva@evora.example")
    assert owner.check_password("quite-a-long-secret")
    assert EmailAddress.objects.get(user=owner).verified


def test_o1_somebody_with_an_account_keeps_it(administrator, acme, charlie):
    make(administrator, owner_email="charlie@umbrella.example")
    made = Organization.objects.get(slug="evora-labs")
    assert made.primary_owner == charlie.user
    [mail] = OutgoingMail.objects.filter(kind="customer_welcome")
    deliver(mail.pk)
    assert "reset/key" not in outbox.outbox[-1].body


def test_o1_a_name_that_is_taken_gets_a_number(administrator, acme):
    make(administrator, name="Acme")
    assert Organization.objects.filter(slug="acme-2").exists()


def test_o1_a_name_without_latin_letters_is_called_by_its_domain(administrator, acme):
    make(administrator, name="山本商事", owner_email="a@yamamoto.example")
    assert Organization.objects.filter(slug="yamamoto").exists()


MISTAKES = {
    "Team with postpaid": ({"settlement": "postpaid"}, "A team pays before it uses"),
    "a zone with a typing error": (
        {"timezone": "Europe/Lisbonn"},
        "Did you mean Europe/Lisbon?",
    ),
    "a short name that is taken": (
        {"slug": "acme"},
        "“acme” is taken; acme-2 is free.",
    ),
    "no address": ({"owner_email": "eva"}, "valid email"),
    "no name": ({"name": " "}, "required"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_o1_a_mistake_makes_nothing(administrator, acme, mistake):
    typed, sentence = MISTAKES[mistake]
    before = Organization.objects.count()
    answer = make(administrator, **typed)
    assert sentence in text_of(answer)
    assert Organization.objects.count() == before


def test_o1_an_owner_who_is_switched_off_is_named(administrator, acme, bob):
    bob.user.is_active = False
    bob.user.save(update_fields=["is_active"])
    answer = make(administrator, owner_email=bob.user.email)
    assert "Switch it on first, or name another owner." in text_of(answer)


def test_o1_support_makes_none(support, acme):
    assert support.get(reverse("admin:accounts_organization_add")).status_code == 403
    assert support.post(MAKE, TYPED).status_code == 403


def test_o1_the_command_does_the_same(acme, capsys):
    call_command("create_organization", "Nova", plan="team", owner="nina@nova.example")
    made = Organization.objects.get(slug="nova")
    assert made.primary_owner.email == "nina@nova.example"
    assert OutgoingMail.objects.filter(kind="customer_welcome").count() == 1
    assert "nova" in capsys.readouterr().out
    with pytest.raises(CommandError, match="Did you mean Asia/Tokyo"):
        call_command(
            "create_organization",
            "Nova",
            plan="team",
            owner="n@nova.example",
            timezone="Asia/Tokio",
        )
