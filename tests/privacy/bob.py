"""Bob, who left traces everywhere, and a look into every text of every table."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from accounts.actions.api_keys import create_api_key
from accounts.actions.audit import Actor
from accounts.actions.invitations import invite
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.members import change_role, remove_member
from accounts.actions.seats import assign_seat
from accounts.models import Membership, Organization, OutgoingMail, User
from billing.caps.actions.caps import set_member_cap
from billing.documents.actions.credit_notes import issue_credit_note
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.recording import record_usage
from billing.models import UsageEvent
from config.kit.money import usd
from config.kit.personal import texts_of
from requests_inbox.actions.audit import audit_decision
from requests_inbox.models import UsageRequest
from tests.factories.documents import close_november, use_november
from tests.factories.usage import event

BOB, BEFORE = "bob@acme.example", "robert.f@acme.example"
# The name of before, as rows of that day have it, and a spelling no mailbox minds.
WORDS = ("bob", "feld", "robert")
# Hashes, salts and secrets: one in some hundred holds a word of three letters by chance.
RANDOM = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
LATER = dt.datetime(2026, 12, 3, 12, 0, tzinfo=dt.UTC)


def texts() -> dict[str, str]:
    """Every text of every row of every table, by “table.column#id”."""
    found = {}
    for model in apps.get_models():
        columns = sorted(texts_of(model))
        for row in model._base_manager.values("pk", *columns):
            for column in columns:
                value = row[column]
                text = (
                    value if isinstance(value, str) else json.dumps(value, default=str)
                )
                found[f"{model._meta.label}.{column}#{row['pk']}"] = text
    return found


def naming(*words: str) -> dict[str, str]:
    """Those with one of the words, in any case, that no row keeps by declaration."""
    return {
        place: text
        for place, text in texts().items()
        if any(word in RANDOM.sub("", text).lower() for word in words)
    }


def live(acme: Organization, *, now: dt.datetime) -> Membership:
    """A month in which Bob is named wherever a name or address can stand; he has left at
    its end, and it is closed.
    """
    alice = Membership.objects.get(user__email="alice@acme.example")
    bob = Membership.objects.select_related("user", "organization").get(user__email=BOB)
    _under_his_former_name(acme, bob, alice, now=now)
    _use(acme, bob, now=now)
    _ask(bob, alice, now=now)
    _around_him(acme, bob, now=now)
    remove_member(bob, by=alice, now=now)
    invoice = close_november(acme)
    issue_credit_note(
        invoice,
        subtotal_nanos=usd("1"),
        reason=f"{BOB} complained",
        operator=alice.user,
        now=LATER,
    )
    return bob


def _under_his_former_name(acme, bob, alice, *, now):
    User.objects.filter(pk=bob.user_id).update(name="Robert Feld", email=BEFORE)
    actor = Actor.person(alice.user)
    assign_seat(bob, tier="premium", actor=actor, now=now)
    change_role(bob, role="admin", by=alice, now=now)
    User.objects.filter(pk=bob.user_id).update(name="Bob Feld", email=BOB)
    bob.user.refresh_from_db()
    assign_seat(bob, tier="standard", actor=actor, now=now)
    set_member_cap(acme, membership=bob, amount_nanos=usd("500"), actor=actor, now=now)


def _use(acme, bob, *, now):
    use_november(acme, at=now)
    labelled = {"user": "Bob@Acme.example", "who": "Bob Feld", "project": "apollo"}
    about = {"asked_for": f"<{BOB}>", "project": "bobsled"}
    ada = Membership.objects.select_related("user").get(user__email="ada@acme.example")
    sent = [
        event(bob, at=now, usd="3", id="labelled", labels=labelled),
        event(ada, at=now, usd="4", id="about", labels=about),
        event(ada, at=now, usd="5", id="longer", labels={"x": "jim-bob@acme.example"}),
    ]
    record_usage(sent, organization_id=acme.pk, now=now)
    adjust_event(
        UsageEvent.objects.get(event_id="labelled"),
        amount_nanos=-usd("1"),
        reason="Bob Feld was right",
        operator=User.objects.get(email="alice@acme.example"),
        now=now,
    )


def _ask(bob, alice, *, now):
    request = UsageRequest.objects.create(
        organization=bob.organization,
        membership=bob,
        seat_tier="standard",
        reason="member_cap",
        month_on="2026-11-01",
        spent_nanos=1,
        created_at=now,
        note="My daughter Roberta is ill, bob",
    )
    UsageRequest.objects.filter(pk=request.pk).update(
        status="dismissed", ended_at=now, answer_note=f"Sorry, Bob Feld ({BOB})"
    )
    request = UsageRequest.objects.select_related(
        "membership__user", "membership__organization"
    ).get(pk=request.pk)
    audit_decision(request, "dismissed", actor=Actor.person(alice.user), now=now)


def _around_him(acme, bob, *, now):
    EmailAddress.objects.create(user=bob.user, email=BOB, verified=True, primary=True)
    Authenticator.objects.create(user=bob.user, type="totp", data={"secret": "bob"})
    create_api_key(
        acme, name=f"{BOB}'s laptop", scopes=["meter"], actor=Actor(label=BOB), now=now
    )
    ada = Membership.objects.select_related("user", "organization").get(
        user__email="ada@acme.example"
    )
    invite(acme, email=BEFORE, role="member", seat_tier=None, by=ada, now=now)
    day = dt.timedelta(days=60)
    mails = [
        QueuedMail(
            bob.user, "request_answer", "his", {"request": 1, "name": "Bob Feld"}
        ),
        QueuedMail(None, "invoice", "bill", {"invoice": 1}, address=BEFORE),
    ]
    queue_mails(acme, mails, now=now, within=day)
    OutgoingMail.objects.filter(key="his").update(last_error=f"550 <{BOB}> unknown")
    LogEntry.objects.create(
        user=ada.user,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(bob.user_id),
        object_repr="Bob Feld",
        action_flag=CHANGE,
        change_message=f"changed to {BOB}",
    )


def clean(kept: dict[str, Any]) -> dict[str, Any]:
    """Without those who only sound like him."""
    others = ("bobsled", "jim-bob", "bob-code", "bob-chat")
    return {k: v for k, v in kept.items() if not any(one in v for one in others)}
