"""What operators do to a customer are steps: previewed, with a reason, kept in the audit;
their mistakes are stopped at the preview already.
"""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core import mail as outbox
from django.urls import reverse
from django.utils.html import strip_tags

from accounts.actions.audit import Actor
from accounts.actions.people import switch_person
from accounts.admin.steps import STEPS
from accounts.delivery import deliver
from accounts.models import ApiKey, AuditEntry, OutgoingMail, SeatTier
from tests.customer.conftest import (
    page_url,
    preview,
    seen_in,
    signed_in,
    step_url,
    take,
    text_of,
)
from tests.factories.people import make_api_key, make_token


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


def last(action: str) -> AuditEntry:
    """The latest change of a kind."""
    return AuditEntry.objects.filter(action=action).latest("pk")


# -- Each step does what its preview said, and is kept with who and why ----------------


def test_seats_are_changed_after_a_preview(administrator, acme):
    shown = text_of(preview(administrator, acme, "seats", standard="60", premium="10"))
    assert "10 more seats." in shown and "50 → 60 (58 free)" in shown
    assert SeatTier.objects.get(organization=acme, tier="standard").bought == 50
    done = take(administrator, acme, "seats", standard="60", premium="10")
    assert "The seats of Acme are changed." in text_of(done)
    assert SeatTier.objects.get(organization=acme, tier="standard").bought == 60
    entry = last("organization.seats")
    assert (entry.from_value, entry.to_value) == (50, 60)
    assert (entry.reason, entry.actor.name) == ("Ticket 8841", "Administrators")


def test_the_plan_is_changed_after_a_preview_in_money_and_people(administrator, acme):
    typed = {"plan": "team", "settlement": "prepaid"}
    shown = text_of(preview(administrator, acme, "plan", **typed))
    assert "Enterprise, seat-based → Team" in shown
    assert "3 people can't go on with extra usage until an owner buys some" in shown
    take(administrator, acme, "plan", **typed)
    acme.refresh_from_db()
    assert (acme.plan, acme.settlement) == ("team", "prepaid")
    assert last("organization.edit").reason == "Ticket 8841"


def test_a_plan_without_seats_says_who_loses_what(administrator, acme):
    typed = {"plan": "enterprise_usage", "settlement": "postpaid"}
    shown = text_of(preview(administrator, acme, "plan", **typed))
    assert "3 people lose the usage included in their seats." in shown


def test_the_zone_is_changed_from_the_next_month_on(administrator, acme):
    shown = text_of(preview(administrator, acme, "zone", timezone="Asia/Tokyo"))
    assert "Months follow Asia/Tokyo from Tue 1 Dec 2026 on." in shown
    take(administrator, acme, "zone", timezone="Asia/Tokyo")
    acme.refresh_from_db()
    assert acme.timezone == "Asia/Tokyo"
    assert last("organization.timezone").reason == "Ticket 8841"


def test_the_details_are_changed(administrator, acme):
    typed = {"name": "Acme Ltd", "billing_email": "new@acme.example"}
    assert "Acme → Acme Ltd" in text_of(
        preview(administrator, acme, "details", **typed)
    )
    take(administrator, acme, "details", **typed)
    acme.refresh_from_db()
    assert (acme.name, acme.billing_email) == ("Acme Ltd", "new@acme.example")


def test_the_primary_owner_is_handed_over(administrator, acme, ada):
    take(administrator, acme, "hand-over", person="ada@acme.example")
    acme.refresh_from_db()
    assert acme.primary_owner == ada.user
    assert last("organization.primary_owner").reason == "Ticket 8841"


def test_a_person_is_switched_off_and_on_again(administrator, acme, bob):
    take(administrator, acme, "switch-off", person="bob@acme.example")
    bob.user.refresh_from_db()
    assert not bob.user.is_active
    assert last("member.switch_off").reason == "Ticket 8841"
    page = text_of(administrator.get(page_url(acme)))
    assert "Switched off" in page and f"steps/switch-on/?person={bob.pk}" in page
    take(administrator, acme, "switch-on", person=str(bob.pk))
    bob.user.refresh_from_db()
    assert bob.user.is_active


def test_two_factor_is_reset(administrator, acme, bob, now):
    Authenticator.objects.create(user=bob.user, type="totp", data={})
    take(administrator, acme, "two-factor", person="bob@acme.example")
    assert not Authenticator.objects.filter(user=bob.user).exists()
    assert last("person.two_factor_reset").reason == "Ticket 8841"


def test_sessions_are_ended(administrator, acme, bob, client):
    client.force_login(bob.user)
    client.get("/me/")
    UserSession.objects.get_or_create(
        user=bob.user,
        session_key=client.session.session_key,
        defaults={"ip": "127.0.0.1"},
    )
    done = take(administrator, acme, "sessions", person="bob@acme.example")
    assert "is signed out everywhere" in text_of(done)
    assert client.get("/me/").status_code == 302
    assert last("person.sessions_end").subject == "Bob Feld"


def test_an_address_is_changed_and_both_mailboxes_are_told(
    administrator, acme, bob, now, time_machine
):
    time_machine.move_to(now, tick=False)
    make_token(bob, now=now)
    typed = {"person": "bob@acme.example", "email": "b.feld@acme.example"}
    told = text_of(preview(administrator, acme, "address", **typed))
    words = " ".join(strip_tags(told).split())
    assert "Personal tokens that end 1 " in words
    take(administrator, acme, "address", **typed)
    bob.user.refresh_from_db()
    assert bob.user.email == "b.feld@acme.example"
    told = OutgoingMail.objects.filter(kind="address_changed")
    assert {mail.to for mail in told} == {"bob@acme.example", "b.feld@acme.example"}
    assert last("member.address").reason == "Ticket 8841"
    assert not ApiKey.objects.personal().live(now).exists()


def test_a_key_that_no_row_can_be_is_refused(administrator, acme):
    answer = preview(administrator, acme, "keys", keys="9" * 40)
    assert answer.status_code == 422
    # The preview names the field, wherever the form is scrolled to.
    assert "<b>Keys:</b> Choose from the list." in text_of(answer)


def test_keys_are_revoked(administrator, acme, now):
    make_api_key(acme, now=now)
    key = ApiKey.objects.get()
    shown = text_of(preview(administrator, acme, "keys", keys=str(key.pk)))
    assert "1 key would stop working at once." in shown
    assert "No key would be left" in shown
    take(administrator, acme, "keys", keys=str(key.pk))
    key.refresh_from_db()
    assert key.revoked_at == now
    assert last("api_key.revoke").reason == "Ticket 8841"


def test_a_mail_is_sent_again_as_a_new_row(administrator, acme, alice, now):
    from accounts.actions.looking import begin_look

    actor = Actor(label="test", reason="x")
    [first] = begin_look(acme, actor=actor, now=now)
    deliver(first)
    outbox.outbox.clear()
    take(administrator, acme, "mail", mail=str(first))
    assert OutgoingMail.objects.get(pk=first).sent_at == now
    again = OutgoingMail.objects.exclude(pk=first).get()
    assert again.kind == OutgoingMail.objects.get(pk=first).kind
    deliver(again.pk)
    assert [one.to for one in outbox.outbox] == [["alice@acme.example"]]
    assert last("mail.again").subject == "alice@acme.example"


# -- Mistakes ---------------------------------------------------------------------------

MISTAKES = {
    "Team with postpaid": (
        "plan",
        {"plan": "team", "settlement": "postpaid"},
        "A team pays before it uses",
    ),
    "a zone with a typing error": (
        "zone",
        {"timezone": "Asia/Tokio"},
        "There is no time zone “Asia/Tokio”. Did you mean Asia/Tokyo?",
    ),
    "a zone by its city": (
        "zone",
        {"timezone": "New York"},
        "Did you mean America/New_York?",
    ),
    "fewer seats than assigned": (
        "seats",
        {"standard": "1", "premium": "10"},
        "2 Standard seats are assigned; 1 would be too few.",
    ),
    "switching off the primary owner": (
        "switch-off",
        {"person": "alice@acme.example"},
        "Alice Nakamura is the primary owner of Acme. Hand over the primary owner first",
    ),
    "an address that somebody has": (
        "address",
        {"person": "bob@acme.example", "email": "ADA@acme.example"},
        "Somebody else has the address ada@acme.example.",
    ),
    "somebody of another organization": (
        "switch-off",
        {"person": "charlie@umbrella.example"},
        "No member “charlie@umbrella.example” in this organization.",
    ),
    "handing over to the primary owner": (
        "hand-over",
        {"person": "alice@acme.example"},
        "Alice Nakamura is already the primary owner.",
    ),
    "the plan it has": (
        "plan",
        {"plan": "enterprise_seat", "settlement": "postpaid"},
        "It is like that already.",
    ),
    "a name that makes a link": (
        "details",
        {"name": "www.evil.example", "billing_email": "a@acme.example"},
        "link",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_stopped_and_changes_nothing(administrator, acme, mistake):
    name, typed, sentence = MISTAKES[mistake]
    before = AuditEntry.objects.count()
    shown = preview(administrator, acme, name, **typed)
    assert shown.status_code == 422
    assert sentence in text_of(shown)
    take(administrator, acme, name, **typed)
    assert AuditEntry.objects.count() == before


# -- What holds for each step -----------------------------------------------------------


def test_nothing_is_done_that_was_not_previewed(administrator, acme):
    typed = {"standard": "60", "premium": "10"}
    blind = {**typed, "reason": "x"}
    administrator.post(step_url(acme, "seats"), blind)
    seen = seen_in(preview(administrator, acme, "seats", **typed))
    other = {"standard": "61", "premium": "10", "reason": "x", "seen": seen}
    administrator.post(step_url(acme, "seats"), other)
    assert SeatTier.objects.get(organization=acme, tier="standard").bought == 50


def test_nothing_is_done_when_the_effect_changed_since_the_preview(
    administrator, acme, bob
):
    typed = {"standard": "60", "premium": "10"}
    seen = seen_in(preview(administrator, acme, "seats", **typed))
    bob.seat_tier = None
    bob.save(update_fields=["seat_tier"])
    sent = {**typed, "reason": "x", "seen": seen}
    answer = administrator.post(step_url(acme, "seats"), sent)
    assert "59 free" in text_of(answer)
    assert SeatTier.objects.get(organization=acme, tier="standard").bought == 50


def test_nothing_is_done_without_a_reason(administrator, acme):
    done = take(administrator, acme, "seats", standard="60", premium="10", reason=" ")
    assert "Give a reason" in text_of(done)
    assert SeatTier.objects.get(organization=acme, tier="standard").bought == 50


def test_an_unusual_effect_is_confirmed_first(administrator, acme):
    typed = {"standard": "5000", "premium": "10"}
    done = take(administrator, acme, "seats", **typed)
    assert "Yes, more than ten times as many seats" in text_of(done)
    assert SeatTier.objects.get(organization=acme, tier="standard").bought == 50
    take(administrator, acme, "seats", **typed, sure="yes")
    assert SeatTier.objects.get(organization=acme, tier="standard").bought == 5000


def test_typing_asks_for_the_preview_alone(administrator, acme):
    answer = administrator.post(
        step_url(acme, "seats"),
        {"standard": "60", "premium": "10"},
        headers={"HX-Request": "true"},
    )
    html = text_of(answer)
    assert "10 more seats." in html and "<html" not in html


def test_a_change_is_taken_back_by_the_same_step(administrator, acme):
    take(administrator, acme, "seats", standard="60", premium="10")
    page = text_of(administrator.get(page_url(acme)))
    undo = f"{step_url(acme, 'seats')}?standard=50&reason=Undo"
    assert undo in page
    entry = AuditEntry.objects.get(action="organization.seats")
    kept = reverse("admin:accounts_auditentry_change", args=[entry.pk])
    assert undo in text_of(administrator.get(kept))
    take(administrator, acme, "seats", standard="55", premium="10")
    assert ">Undo<" not in text_of(administrator.get(kept))  # it is no longer so
    form = text_of(administrator.get(undo))
    assert 'name="standard" value="50"' in form and 'value="Undo"' in form


def test_owners_read_the_reason_under_activity(administrator, client, acme, alice):
    take(administrator, acme, "seats", standard="60", premium="10")
    client.force_login(alice.user)
    assert "“Ticket 8841”" in text_of(client.get("/o/acme/settings/activity/"))


def test_a_step_that_cant_be_taken_says_why(administrator, acme):
    page = text_of(administrator.get(page_url(acme)))
    assert "Nobody is switched off." in page
    assert "There is no key to revoke." in page


@pytest.mark.parametrize("name", STEPS)
def test_support_takes_no_step(support, acme, name):
    assert support.get(step_url(acme, name)).status_code == 403
    assert support.post(step_url(acme, name), {}).status_code == 403


FINANCE_STEPS = {
    "seats",
    "plan",
    "zone",
    "details",
    "extra-usage-off",
    "extra-usage-on",
    *(name for name, step in STEPS.items() if step.group == "money"),
}


@pytest.mark.parametrize("name", STEPS)
def test_finance_takes_the_steps_on_the_contract_and_on_money_alone(acme, name):
    client = signed_in("Finance")
    expected = 200 if name in FINANCE_STEPS else 403
    assert client.get(step_url(acme, name)).status_code == expected


@pytest.mark.parametrize("name", STEPS)
def test_each_step_opens_and_answers_nonsense_with_a_sentence(
    administrator, acme, now, name
):
    make_api_key(acme, now=now)
    assert administrator.get(step_url(acme, name)).status_code == 200
    fields = STEPS[name].form.base_fields
    odd = dict.fromkeys(fields, "\x00x")
    # A step that asks for nothing but the reason is previewed at once.
    answered = {200, 422} if set(fields) == {"reason"} else {422}
    for typed in ({}, odd, {**odd, "person": "9" * 30}):
        assert preview(administrator, acme, name, **typed).status_code in answered


def test_no_step_reaches_a_superuser(administrator, acme, bob):
    bob.user.is_superuser = True
    bob.user.save(update_fields=["is_superuser"])
    shown = preview(administrator, acme, "two-factor", person="bob@acme.example")
    assert "can't be changed here" in text_of(shown)


def test_a_step_nobody_knows_is_not_found(administrator, acme):
    assert administrator.get(step_url(acme, "nonsense")).status_code == 404


def test_the_act_itself_stops_switching_off_a_primary_owner(acme, alice, now):
    from config.kit.errors import BusinessError

    with pytest.raises(BusinessError, match="Hand over the primary owner first"):
        switch_person(alice.user, on=False, actor=Actor(label="x"), now=now)
    alice.user.refresh_from_db()
    assert alice.user.is_active
