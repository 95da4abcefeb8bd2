"""What a movement of a balance does: to the balance, to the people who use it, and to
auto-reload. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Organization
from accounts.panels import Effect
from billing.funding.queries import organization_standing
from billing.models import BillingAccount
from config.kit.money import format_usd


def account_read(organization: Organization) -> BillingAccount:
    """The account of a balance, or one with nothing in it that is not kept."""
    accounts = BillingAccount.objects.filter(organization=organization)
    return accounts.first() or BillingAccount(organization=organization)


def balance_effects(
    organization: Organization, amount_nanos: int, *, now: dt.datetime
) -> Iterator[Effect]:
    """The balance from what to what, who goes on or stops, and a debt where there is one."""
    before = account_read(organization).balance_nanos
    after = before + amount_nanos
    yield Effect(
        _("Balance"),
        format_usd(before),
        format_usd(after),
        is_warning=after <= 0 < before,
    )
    yield from _people_effects(organization, before, after, now=now)
    if after < 0:
        sentence = _(
            "The balance is %(after)s then: the next purchase pays that first, and only "
            "the rest can be used."
        )
        yield Effect(sentence % {"after": format_usd(after)}, is_warning=True)


def _people_effects(
    organization: Organization, before: int, after: int, *, now: dt.datetime
) -> Iterator[Effect]:
    """Only where the movement lifts the balance above zero, or takes it there."""
    if (before > 0) == (after > 0):
        return
    if not organization_standing(organization.pk, now=now).is_on:
        yield Effect(_("Extra usage is off, so nobody uses the balance now."))
        return
    people = organization.memberships.enabled().count()
    if after > 0:
        sentence = ngettext(
            "%(people)d person can go on with extra usage at once.",
            "%(people)d people can go on with extra usage at once.",
            people,
        )
    else:
        sentence = ngettext(
            "%(people)d person can't go on with extra usage until an owner buys some.",
            "%(people)d people can't go on with extra usage until an owner buys some.",
            people,
        )
    yield Effect(sentence % {"people": people}, is_warning=after <= 0)


def reload_effects(organization: Organization, amount_nanos: int) -> Iterator[Effect]:
    """What auto-reload does after a credit or a deduction: nothing where it is off."""
    account = account_read(organization)
    if not account.auto_reload_enabled:
        return
    threshold = account.reload_threshold_nanos or 0
    after = account.balance_nanos + amount_nanos
    facts = {
        "threshold": format_usd(threshold),
        "amount": format_usd(account.reload_amount_nanos or 0),
    }
    if after <= threshold:
        sentence = _(
            "Auto-reload charges the card %(amount)s within minutes: the balance is at "
            "%(threshold)s or below."
        )
        is_new = account.balance_nanos > threshold
        yield Effect(sentence % facts, is_warning=is_new)
    elif account.balance_nanos <= threshold:
        sentence = _(
            "Auto-reload charges nothing until the balance is down to %(threshold)s again."
        )
        yield Effect(sentence % facts)


def goes_off(organization: Organization, amount_nanos: int) -> Iterator[Effect]:
    """A refund that takes the balance to the reload threshold switches auto-reload off."""
    account = account_read(organization)
    threshold = account.reload_threshold_nanos or 0
    if (
        account.auto_reload_enabled
        and account.balance_nanos + amount_nanos <= threshold
    ):
        yield Effect(_("Auto-reload"), _("On"), _("Off"), is_warning=True)
        sentence = _(
            "Else it would charge the card again at once: the balance comes to "
            "%(threshold)s or below. Owners can turn it back on."
        )
        yield Effect(sentence % {"threshold": format_usd(threshold)})
