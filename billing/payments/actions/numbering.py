"""The numbers of invoices, credit notes and receipts (P3): each organization's series
go up by one, and what is left out is kept with its reason.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Max, Model
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.actions.reasons import check_reason
from accounts.models import Organization
from billing.models import CreditNote, Invoice, NumberGap, PurchaseReceipt, Series
from billing.models.number_gaps import number_of
from config.kit.errors import BusinessError

DOCUMENTS: dict[Series, type[Model]] = {
    Series.INVOICE: Invoice,
    Series.CREDIT_NOTE: CreditNote,
    Series.RECEIPT: PurchaseReceipt,
}
# More at once is a typing error: it would be for ever.
MOST_SKIPPED = 100_000


def next_number(locked: Organization, series: Series) -> tuple[int, str]:
    """The next sequence of an organization's series and the number made of it.

    Without gaps but those that are kept, since it is taken in the transaction that uses
    it.
    """
    sequence = last_sequence(locked, series) + 1
    return sequence, number_of(locked, series, sequence)


def last_sequence(organization: Organization, series: Series) -> int:
    """The highest sequence that a document has or that is left out; 0 before the first."""
    issued = DOCUMENTS[series]._default_manager.filter(organization=organization)
    last = issued.aggregate(last=Max("sequence"))["last"] or 0
    gaps = NumberGap.objects.filter(organization=organization, series=series)
    return max(last, gaps.aggregate(last=Max("through_sequence"))["last"] or 0)


@transaction.atomic
def skip_numbers(
    organization_id: int,
    *,
    series: Series,
    through: int,
    reason: str,
    command: str,
    now: dt.datetime,
) -> NumberGap | None:
    """Never give out the numbers up to sequence `through` that are not given out yet;
    None where there is none of them, so that it can be told twice.

    `command` is the name of the operator's command, for the audit. Raises BusinessError
    `too_many_numbers`, `reason_missing`.
    """
    # Races whoever issues a document: numbers are taken under the same lock.
    locked = lock_organization(organization_id)
    reason = check_reason(reason)
    last = last_sequence(locked, series)
    if through <= last:
        return None
    if through - last > MOST_SKIPPED:
        raise BusinessError(
            _("At most %(most)s numbers can be left out at once.")
            % {"most": f"{MOST_SKIPPED:,}"},
            code="too_many_numbers",
        )
    gap = NumberGap.objects.create(
        organization=locked,
        series=series,
        from_sequence=last + 1,
        through_sequence=through,
        reason=reason,
        skipped_at=now,
        skipped_by=command,
    )
    record_change(
        locked,
        actor=Actor(label=command),
        action="invoice.numbers",
        subject=reason[:200],
        now=now,
        to_value=gap.numbers,
    )
    return gap
