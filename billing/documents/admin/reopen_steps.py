"""The step that takes back a close that came too early. The clock is the database's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.admin.steps import Preview, Step, Typed, register
from accounts.models import Organization
from accounts.panels import Effect
from billing.documents.actions.reopening import EarlyClose, early_close, reopen_month
from billing.documents.admin.choosing_months import MonthForm, clock, clock_or_refuse
from billing.models import BillingMonth
from config.kit.dates import month_text
from config.kit.errors import BusinessError
from config.kit.money import format_usd

PAGE = "operators' page"


class ClosedMonthForm(MonthForm):
    """The latest that is closed: months open again in reverse order."""

    def months(self) -> Iterator[dt.date]:
        """It alone."""
        assert self.organization is not None
        yield from _latest_closed(self.organization)


class ReopenStep(Step):
    name, icon, group, order, is_danger = (
        "reopen-month",
        "arrow-back-up",
        "money",
        100,
        True,
    )
    label = gettext_lazy("Take back a close")
    permission, form = "billing.add_monthreopening", ClosedMonthForm
    foot = gettext_lazy("Only of a month that was closed before it was over.")

    def why_not(self, organization: Organization) -> str:
        """None is closed, or the latest can't be opened any more."""
        months = _latest_closed(organization)
        if not months:
            return _("No month is closed.")
        try:
            early_close(organization, month_on=months[0], now=clock())
        except BusinessError as error:
            if error.code != "month_is_over":
                return error.message
            sentence = _("%(month)s is over: credit notes correct it.")
            return sentence % {"month": month_text(months[0])}
        return ""

    def initial(self, organization: Organization) -> Typed:
        """The only one."""
        months = _latest_closed(organization)
        return {"month": f"{months[0]:%Y-%m}"} if months else {}

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """What becomes of its documents."""
        close = early_close(
            organization, month_on=typed["month"], now=clock_or_refuse()
        )
        title = _("%(month)s of %(name)s would take usage again.") % {
            "month": month_text(typed["month"]),
            "name": organization.name,
        }
        effects = [
            Effect(_("State"), _("Closed"), _("Open for usage")),
            *_effects_of_reopening(close),
            *self.effects(organization, typed, now),
        ]
        return Preview(title, effects, button=_("Take back the close"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act."""
        reopen_month(
            organization.pk,
            month_on=typed["month"],
            reason=actor.reason,
            command=PAGE,
            operator=operator_of(request),
            now=clock_or_refuse(),
        )
        return _("%(month)s takes usage again.") % {"month": month_text(typed["month"])}


def _effects_of_reopening(close: EarlyClose) -> Iterator[Effect]:
    if close.invoice:
        facts = {
            "number": close.invoice.number,
            "total": format_usd(close.invoice.total_nanos),
        }
        sentence = _(
            "%(number)s over %(total)s becomes void; its number is not given out again."
        )
        yield Effect(sentence % facts, is_warning=True)
    if close.statement:
        yield Effect(
            _("Its statement counts no more. The balance stays as it is."),
            is_warning=True,
        )
    yield Effect(
        _("It closes anew when it is over, with a new document for all of it.")
    )


def _latest_closed(organization: Organization) -> list[dt.date]:
    rows = BillingMonth.objects.filter(organization=organization)
    return list(rows.order_by("-month_on").values_list("month_on", flat=True)[:1])


register(ReopenStep())
