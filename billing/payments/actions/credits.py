"""Credits and corrections of a balance by operators (T7), each with a reason.

Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.organizations import lock_organization
from accounts.actions.reasons import check_reason
from accounts.models import Organization, User
from billing.ledger.actions import account_of, check_balance_has_room, post_entry
from billing.models import BillingAccount, EntryKind, LedgerEntry
from billing.payments.actions.declines import end_series_if_lifted
from billing.payments.actions.purchases import check_is_prepaid
from config.kit.errors import BusinessError
from config.kit.money import MAX_AMOUNT_NANOS, NANOS_PER_CENT, format_usd


@transaction.atomic
def post_credit(
    organization: Organization,
    *,
    amount_nanos: int,
    reason: str,
    operator: User,
    key: str = "",
    now: dt.datetime,
) -> LedgerEntry:
    """Give a balance something (`credit`), or correct it downwards (`adjustment`, a
    negative amount), with a reason.

    `key` names the showing of the form: pressed twice, however much later, it is the
    same entry; with other content it is refused (`already_booked`). Raises
    BusinessError `not_prepaid`, `credit_amount`, `reason_missing`.
    """
    locked = lock_organization(organization.pk)
    check_is_prepaid(locked)
    check_reason(reason)
    _check_credit_amount(amount_nanos)
    earlier = _booked_with(key, locked) if key else None
    if earlier is not None:
        _check_same_press(earlier, amount_nanos, reason=reason, operator=operator)
        return earlier
    check_balance_has_room(account_of(locked), amount_nanos)
    entry = post_entry(
        locked,
        kind=EntryKind.CREDIT if amount_nanos > 0 else EntryKind.ADJUSTMENT,
        amount_nanos=amount_nanos,
        reason=reason.strip(),
        actor=operator,
        key=key,
        now=now,
    )
    end_series_if_lifted(locked)
    return entry


def check_credit(organization: Organization, *, amount_nanos: int) -> None:
    """Raise what `post_credit` would raise for this amount, and write nothing; it asks
    again under its own lock.
    """
    check_is_prepaid(organization)
    _check_credit_amount(amount_nanos)
    accounts = BillingAccount.objects.filter(organization=organization)
    check_balance_has_room(accounts.first() or BillingAccount(), amount_nanos)


def booked_by_form(
    organization: Organization, *, key: str, amount_nanos: int
) -> LedgerEntry | None:
    """The entry that a showing of the form booked; None where it booked none. Raises
    BusinessError `already_booked` where that was another amount.
    """
    earlier = _booked_with(key, organization)
    if earlier is not None and earlier.amount_nanos != amount_nanos:
        raise _already_booked(earlier)
    return earlier


def _check_credit_amount(amount_nanos: int) -> None:
    """Raises BusinessError `credit_amount`: whole cents, up to the largest amount."""
    is_whole_cents = amount_nanos % NANOS_PER_CENT == 0
    if amount_nanos and is_whole_cents and abs(amount_nanos) <= MAX_AMOUNT_NANOS:
        return
    sentence = _(
        "Enter an amount in whole cents, other than zero and at most %(most)s."
    ) % {"most": format_usd(MAX_AMOUNT_NANOS)}
    raise BusinessError(sentence, code="credit_amount", status=422, field="amount")


def _booked_with(key: str, locked: Organization) -> LedgerEntry | None:
    """The entry that this form made.

    Asked under the organization's lock, so of two presses at once the second waits and
    finds the entry of the first; `one_entry_per_key` stands behind it. A press that was
    rolled back left no entry, and the form books anew. The key needs no signature:
    whoever makes one up only keeps themselves from booking twice.
    """
    return LedgerEntry.objects.filter(organization=locked, key=key).first()


def _check_same_press(
    earlier: LedgerEntry, amount_nanos: int, *, reason: str, operator: User
) -> None:
    """Raises BusinessError `already_booked` where the form was used for something else."""
    booked = (earlier.amount_nanos, earlier.reason, earlier.actor_id)
    if booked == (amount_nanos, reason.strip(), operator.pk):
        return
    raise _already_booked(earlier)


def _already_booked(earlier: LedgerEntry) -> BusinessError:
    return BusinessError(
        _(
            "This form was already used to book %(amount)s, so nothing was booked "
            "this time. Open it again to make another entry."
        )
        % {"amount": format_usd(earlier.amount_nanos)},
        code="already_booked",
    )
