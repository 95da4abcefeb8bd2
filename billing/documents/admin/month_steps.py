"""The step that closes a month which did not close by itself. The clock is the database's.
Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actions.audit import Actor, record_change
from accounts.admin.steps import Preview, Step, Typed, register
from accounts.models import Organization
from accounts.panels import Effect
from billing.documents.actions.foreseeing import (
    ComingDocuments,
    coming_documents,
)
from billing.documents.actions.months import check_may_close, freeze_month
from billing.documents.admin.choosing_months import MonthForm, clock, clock_or_refuse
from billing.documents.closing import close_to_the_end
from billing.documents.queries.months import first_open_month, grace
from billing.documents.rules import closes_at
from billing.models import BillingMonth
from config.kit.dates import moment_text, month_text
from config.kit.money import format_usd
from config.kit.months import next_month

# Open months that the form lists: they close in order, so the first is the one.
LISTED = 6


class OpenMonthForm(MonthForm):
    """Of those that are open, or left half-closed."""

    def months(self) -> Iterator[dt.date]:
        """Up to the current one: closing that one is refused with when it can be."""
        assert self.organization is not None
        yield from _unfinished(self.organization)
        month_on = first_open_month(self.organization)
        last = self.organization.calendar.month_at(clock()).first_on
        for _number in range(LISTED):
            yield month_on
            if month_on >= last:
                return
            month_on = next_month(month_on)


class CloseStep(Step):
    name, icon, group, order = "close-month", "lock", "money", 90
    label = gettext_lazy("Close a month")
    permission, form = "billing.change_billingmonth", OpenMonthForm
    foot = gettext_lazy(
        "Months close by themselves; this is for one that did not. What comes later "
        "counts to the next month. It can't be taken back once the month is over."
    )

    def why_not(self, organization: Organization) -> str:
        """The next one is not over: when it can be closed."""
        if _unfinished(organization):
            return ""
        month = organization.calendar.month(first_open_month(organization))
        due = closes_at(month, grace=grace())
        if clock() >= due:
            return ""
        return _("%(month)s can be closed %(moment)s.") % {
            "month": month_text(month.first_on),
            "moment": moment_text(due, zone=month.zone, now=clock()),
        }

    def initial(self, organization: Organization) -> Typed:
        """The next one."""
        months = _unfinished(organization) or [first_open_month(organization)]
        return {"month": f"{months[0]:%Y-%m}"}

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """Its documents with number and amounts, and the mails."""
        month_on = typed["month"]
        if month_on not in _unfinished(organization):
            check_may_close(organization, month_on=month_on, now=clock_or_refuse())
        title = _("%(month)s of %(name)s would be closed.") % {
            "month": month_text(month_on),
            "name": organization.name,
        }
        coming = coming_documents(organization, month_on=month_on)
        effects = [
            Effect(_("State"), _("Open for usage"), _("Closed")),
            *_document_effects(coming),
            *self.effects(organization, typed, now),
        ]
        return Preview(title, effects, button=_("Close the month"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """Freeze it, then write and issue what it comes to; if that dies half-way, the
        hourly job goes on.
        """
        moment = clock_or_refuse()
        with transaction.atomic():
            frozen = freeze_month(organization.pk, month_on=typed["month"], now=moment)
            record_change(
                organization,
                actor=actor,
                action="invoice.month",
                subject=str(frozen),
                now=now,
                from_value="open",
                to_value="closed",
            )
        closed = close_to_the_end(frozen)
        sentence = _("%(month)s is closed.") % {"month": month_text(typed["month"])}
        if closed.invoice is None:
            return sentence
        issued = _("Invoice %(number)s over %(total)s is issued.") % {
            "number": closed.invoice.number,
            "total": format_usd(closed.invoice.total_nanos),
        }
        return f"{sentence} {issued}"


def _document_effects(coming: ComingDocuments) -> Iterator[Effect]:
    documents = 0
    if coming.invoice:
        documents += 1
        lines = ngettext("%(lines)d line", "%(lines)d lines", coming.invoice.lines)
        text = lines % {"lines": coming.invoice.lines}
        yield Effect(_("Invoice"), f"{coming.invoice.number}, {text}")
        yield Effect(_("Before tax"), format_usd(coming.invoice.subtotal_nanos))
        yield Effect(_("Tax"), format_usd(coming.invoice.tax_nanos))
        yield Effect(_("Total"), format_usd(coming.invoice.total_nanos))
    if coming.statement:
        documents += 1
        yield Effect(
            _("Statement: balance"),
            format_usd(coming.statement.opening_nanos),
            format_usd(coming.statement.closing_nanos),
        )
    if not documents:
        yield Effect(
            _("Nothing is to bill and no balance moved: no document is issued.")
        )
    else:
        mails = coming.mails * documents
        sentence = ngettext(
            "%(mails)d mail goes out.", "%(mails)d mails go out.", mails
        )
        yield Effect(sentence % {"mails": mails})


def _unfinished(organization: Organization) -> list[dt.date]:
    """Months that somebody began to close."""
    rows = BillingMonth.objects.unfinished().filter(organization=organization)
    return list(rows.order_by("month_on").values_list("month_on", flat=True))


register(CloseStep())
