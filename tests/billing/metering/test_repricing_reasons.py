"""Why a price booked a difference is a code in the row, a sentence for every reader, and
what earlier versions stored becomes the code.
"""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import translation
from django.utils.html import escape

from accounts.models import User
from billing.metering.actions.recording import record_usage
from billing.models import AdjustmentSource, UsageAdjustment, UsageEvent
from billing.prices.words import (
    correction_reason_in_english,
    correction_reason_text,
    spellings_of_reason,
)
from config.kit.append_only import guard_on_sqlite, unguard_on_sqlite
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage, event

migration = import_module("billing.migrations.0009_repricing_reason_codes")
PRICED = "repricing.model_priced"
CORRECTED = "repricing.price_corrected"
TODAY = "The model now has a price; until then, its cost was estimated at the fallback rate."
BEFORE = "The model has a price now; it was estimated at the fallback rate."
CORRECTED_BEFORE = "The price it was charged at was corrected."


@pytest.fixture(autouse=True)
def _english():
    """A page in Japanese leaves its language behind."""
    with translation.override("en"):
        yield


@pytest.fixture
def used(acme, bob, now) -> UsageEvent:
    enable_extra_usage(acme)
    record_usage([event(bob, id="e", at=now)], organization_id=acme.pk, now=now)
    return UsageEvent.objects.get()


def adjust(
    used: UsageEvent, reason: str, source: str = AdjustmentSource.PRICE
) -> UsageAdjustment:
    return UsageAdjustment.objects.create(
        organization_id=used.organization_id,
        membership_id=used.membership_id,
        event=used,
        amount_nanos=1,
        price_id=used.price_id,
        source=source,
        reason=reason,
        created_at=used.recorded_at,
        month_on=used.month_on,
        day_on=used.day_on,
    )


def migrate(step) -> None:
    """A step of the migration as `migrate` runs it, with the triggers around it."""
    billing = apps.get_app_config("billing")
    unguard_on_sqlite(billing, "default")
    step(apps, SimpleNamespace(connection=connection))
    guard_on_sqlite(billing, "default")


def reasons() -> list[str]:
    return list(UsageAdjustment.objects.order_by("pk").values_list("reason", flat=True))


def test_what_earlier_versions_stored_becomes_a_code_and_what_operators_wrote_stays(
    used,
):
    for reason in (BEFORE, TODAY, CORRECTED_BEFORE, "Anything else"):
        adjust(used, reason)
    adjust(used, TODAY, AdjustmentSource.OPERATOR)
    forwards = migration.lifted(migration.keep_codes)
    migrate(forwards)
    migrate(forwards)
    assert reasons() == [PRICED, PRICED, CORRECTED, "Anything else", TODAY]
    migrate(migration.lifted(migration.keep_sentences))
    assert reasons()[:2] == [TODAY, TODAY]


def test_after_it_the_table_only_grows_again(used):
    adjustment = adjust(used, BEFORE)
    migrate(migration.lifted(migration.keep_codes))
    with pytest.raises(IntegrityError), transaction.atomic():
        UsageAdjustment.objects.filter(pk=adjustment.pk).update(reason="edited")


def test_every_reader_gets_the_sentence_in_their_language():
    assert correction_reason_text(PRICED) == TODAY
    with translation.override("ja"):
        assert translation.gettext(TODAY) == correction_reason_text(PRICED) != TODAY
        assert correction_reason_in_english(PRICED) == TODAY
        assert correction_reason_text("Outage on Monday") == "Outage on Monday"


def test_p3_a_sentence_on_an_issued_invoice_stays_as_it_was_issued():
    assert correction_reason_text(BEFORE) == BEFORE
    with translation.override("ja"):
        assert correction_reason_text(BEFORE) == correction_reason_text(PRICED)
    assert set(spellings_of_reason(BEFORE)) == {PRICED, BEFORE, TODAY}
    assert spellings_of_reason("Outage") == ["Outage"]


def test_the_receipt_and_the_api_say_the_reason_in_words(client, acme, bob, used, now):
    adjust(used, PRICED)
    client.force_login(bob.user)
    User.objects.update(language="ja")
    page = client.get(f"/o/acme/usage/receipts/{used.pk}/").content.decode()
    with translation.override("ja"):
        assert escape(translation.gettext(TODAY)) in page and PRICED not in page
    answer = client.get(
        "/api/v1/events/e",
        headers={
            "Authorization": f"Bearer {make_api_key(acme, now=now)}",
            "Accept-Language": "ja",
        },
    )
    [adjustment] = answer.json()["adjustments"]
    assert adjustment["reason"] == TODAY
