"""One personal token of somebody is revoked by an operator, and no other (X3)."""

from __future__ import annotations

import pytest

from accounts.actions.tokens import create_token
from accounts.models import ApiKey, AuditEntry
from tests.customer.conftest import preview, take, text_of
from tests.factories.people import make_api_key


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


def test_one_personal_token_is_revoked_and_no_other(administrator, acme, bob, ada, now):
    first, _secret = create_token(bob, name="laptop", now=now)
    create_token(ada, name="desk", now=now)
    make_api_key(acme, now=now)
    shown = text_of(preview(administrator, acme, "token", token=" Bob@acme.example"))
    assert "would stop working at once." in shown
    assert f"laptop ({first.prefix}…)" in shown
    take(administrator, acme, "token", token="bob@acme.example")
    first.refresh_from_db()
    assert first.revoked_at == now
    entry = AuditEntry.objects.get(action="api_key.token_revoke")
    assert (entry.reason, entry.membership) == ("Ticket 8841", bob)
    assert ApiKey.objects.live(now).count() == 2


def test_of_several_tokens_of_a_person_one_is_named_by_its_beginning(
    administrator, acme, bob, now
):
    first, _secret = create_token(bob, name="laptop", now=now)
    second, _secret = create_token(bob, name="ci", now=now)
    answer = preview(administrator, acme, "token", token="bob@acme.example")
    assert answer.status_code == 422
    assert "There are several; type how it begins" in text_of(answer)
    assert f"laptop ({first.prefix}…)" in text_of(answer)
    take(administrator, acme, "token", token=f"{second.prefix}…")
    assert list(ApiKey.objects.live(now)) == [first]


@pytest.mark.parametrize("said", ["charlie@umbrella.example", "xu_nosuch", "xu_", "%"])
def test_a_token_of_another_customer_or_of_nobody_is_none(
    administrator, acme, bob, charlie, now, said
):
    create_token(bob, name="laptop", now=now)
    theirs, _secret = create_token(charlie, name="desk", now=now)
    for one in (said, theirs.prefix):
        answer = preview(administrator, acme, "token", token=one)
        assert answer.status_code == 422
        assert "No personal token that works" in text_of(answer)
    assert ApiKey.objects.live(now).count() == 2
