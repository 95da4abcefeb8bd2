"""P3: after a restore to an earlier hour no number is given out a second time: an
operator's command leaves out what may have been, with a reason that is kept.
"""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts.models import AuditEntry
from billing.books import differences
from billing.documents.actions.credit_notes import issue_credit_note
from billing.models import Invoice, NumberGap, Series
from billing.payments.actions.numbering import next_number, skip_numbers
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.factories.documents import CLOSES, close_november, use_november

REASON = "Restored to Monday, 9:00"


def skip(*words):
    """What the command prints."""
    out = StringIO()
    call_command("skip_numbers", *words, stdout=out)
    return out.getvalue()


def test_without_yes_it_says_what_it_would_leave_out_and_changes_nothing(acme):
    said = skip("acme", "--by", "2")
    assert "acme, invoice: ACME-0001 – ACME-0002 would be left out." in said
    assert "acme, credit-note: ACME-CN-0001 – ACME-CN-0002 would be left out." in said
    assert "acme, receipt: ACME-R-0001 – ACME-R-0002 would be left out." in said
    assert "Do it with --yes." in said
    assert not NumberGap.objects.exists()


def test_what_is_issued_afterwards_has_a_number_behind_and_the_books_are_clean(
    acme, now
):
    skip("acme", "--by", "3", "--reason", REASON, "--yes")
    use_november(acme, at=now)
    close_november(acme)
    assert Invoice.objects.get().number == "ACME-0004"
    assert list(differences()) == []


def test_credit_notes_and_receipts_have_series_of_their_own(acme, alice, now):
    use_november(acme, at=now)
    invoice = close_november(acme)
    skip("acme", "--to", "7", "--series", "credit-note", "--yes")
    note, _mails = issue_credit_note(
        invoice,
        subtotal_nanos=usd(1),
        reason="x",
        operator=alice.user,
        now=CLOSES,
    )
    assert note.number == "ACME-CN-0008"
    assert next_number(acme, Series.RECEIPT) == (1, "ACME-R-0001")
    assert list(differences()) == []


def test_told_twice_up_to_which_number_it_leaves_out_nothing_more(acme):
    words = ("acme", "--to", "5", "--series", "invoice", "--yes")
    assert "ACME-0001 – ACME-0005 left out." in skip(*words)
    assert "nothing to leave out, the last number is ACME-0005." in skip(*words)
    assert NumberGap.objects.count() == 1


def test_without_an_organization_it_is_about_all_of_them(acme, bolt):
    skip("--by", "1", "--yes")
    slugs = set(NumberGap.objects.values_list("organization__slug", flat=True))
    assert {"acme", bolt.slug} <= slugs


def test_owners_read_which_numbers_are_left_out_and_why(acme):
    skip("acme", "--to", "1", "--series", "invoice", "--reason", REASON, "--yes")
    entry = AuditEntry.objects.get(action="invoice.numbers")
    assert (entry.actor_label, entry.subject) == ("skip_numbers", REASON)
    assert entry.to_value == "ACME-0001"


def test_a_gap_that_nobody_explained_is_still_named_by_the_audit(acme, now):
    use_november(acme, at=now)
    close_november(acme)
    skip("acme", "--to", "2", "--series", "invoice", "--yes")
    NumberGap(
        organization=acme,
        series="invoice",
        from_sequence=5,
        through_sequence=6,
        reason="a hole at 3 and 4",
        skipped_at=now,
        skipped_by="x",
    ).save()
    assert {(row.table, row.column) for row in differences()} == {
        ("billing_invoice", "sequence")
    }


def test_what_was_left_out_stays_so(acme):
    skip("acme", "--by", "1", "--yes")
    for change in ("DELETE FROM {}", "UPDATE {} SET through_sequence = 9"):
        with pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute(change.format("billing_numbergap"))


@pytest.mark.parametrize(
    "words, sentence",
    [
        (("--by", "0"), "at least 1"),
        (("--to", "-3"), "at least 1"),
        (("--to", "3"), "one organization and one --series"),
        (("nobody", "--by", "1"), "no organization"),
        (("acme", "--by", "100001", "--yes"), "At most 100,000"),
        (("acme", "--by", "1", "--reason", " ", "--yes"), "Give a reason"),
    ],
)
def test_bad_words_get_a_sentence(acme, words, sentence):
    with pytest.raises(CommandError, match=sentence):
        skip(*words)
    assert not NumberGap.objects.exists()


def test_an_act_without_a_reason_is_refused(acme, now):
    with pytest.raises(BusinessError):
        skip_numbers(
            acme.pk,
            series=Series.INVOICE,
            through=3,
            reason="",
            command="x",
            now=now,
        )
