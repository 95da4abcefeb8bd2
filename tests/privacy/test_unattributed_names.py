"""Names under which usage came before their person was a member go with the person (X2)."""

from __future__ import annotations

import io
import json
import zipfile

from accounts.actions.audit import Actor
from accounts.actions.erasing import erase_person
from accounts.actions.members import remove_member
from accounts.exporting import archive_of
from accounts.models import User
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.models import UnattributedName
from tests.factories.people import MembershipFactory, make_user
from tests.factories.usage import event
from tests.privacy.bob import naming


def used_then_joined(acme, now):
    """Emil under two addresses and an external id, who then became a member."""
    sent = ["emil@acme.example", "e.janssen@acme.example", "okta:emil@acme.example"]
    events = [event(name, id=f"e-{at}", at=now) for at, name in enumerate(sent)]
    record_usage(events, organization_id=acme.pk, now=now)
    user = make_user("e.janssen@acme.example", "Emil Janssen")
    User.objects.filter(pk=user.pk).update(email="emil@acme.example")
    user.refresh_from_db()
    return MembershipFactory(organization=acme, user=user)


def test_an_erasure_takes_the_names_and_leaves_the_books(acme, alice, now):
    member = used_then_joined(acme, now)
    remove_member(member, by=alice, now=now)
    erase_person(member.user, actor=Actor(label="test"), now=now)
    names = [name.sent_as for name in UnattributedName.objects.all()]
    assert len(names) == 3 and all("erased.invalid" in name for name in names)
    assert naming("emil@", "janssen@") == {}
    assert list(differences()) == []
    # A retry of what was sent then is known by what it said.
    again = [event("emil@acme.example", id="e-0", at=now)]
    [result] = record_usage(again, organization_id=acme.pk, now=now).results
    assert result.status == "duplicate"


def test_they_are_in_what_somebody_takes_away(acme, now):
    member = used_then_joined(acme, now)
    packed = io.BytesIO(b"".join(archive_of(member.user, now=now)))
    rows = json.loads(zipfile.ZipFile(packed).read("unattributed_name.json"))
    assert [row["sent_as"] for row in rows] == ["emil@acme.example"]
