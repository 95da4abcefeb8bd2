"""The step that books what today's prices mean for a customer's events of before (M4). Its
preview is the dry run; what is too much for a page is estimated, and booked by a job.
Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django import forms
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.access import operator_of
from accounts.actions.audit import Actor, record_change
from accounts.admin.steps import Preview, ReasonForm, Step, Typed, register
from accounts.models import Organization
from accounts.panels import Effect
from billing.ledger.queries import open_month
from billing.metering.actions.repricing import Repriced, reprice_events
from billing.metering.tasks import reprice_customer
from billing.models import OrganizationMonth, UsageMonth
from config.kit.dates import month_text
from config.kit.errors import BusinessError
from config.kit.jobs import enqueue
from config.kit.money import format_usd
from config.kit.months import previous_month

# Looked at within a second or two; of a customer with more, the latest so many tell what
# to expect, and a job does the rest.
MOST_AT_ONCE = 10_000
# Lines of the preview, and models to choose from.
LINES_SHOWN = 12
MODELS_LISTED = 60
MONTHS_LISTED = 3


class RepriceForm(ReasonForm):
    """Of which models; none chosen: of all."""

    models = forms.MultipleChoiceField(
        label=gettext_lazy("Models"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Those of the last three months. None chosen: all, whatever the month."
        ),
    )

    def prepare(self) -> None:
        """Those that the customer's extra usage ran on of late."""
        assert self.organization is not None
        month_on = self.organization.calendar.month_at(timezone.now()).first_on
        months = [month_on]
        for _earlier in range(MONTHS_LISTED - 1):
            months.append(previous_month(months[-1]))
        used = UsageMonth.objects.filter(
            membership__organization=self.organization, month_on__in=months
        )
        names = used.order_by("model").values_list("model", flat=True).distinct()
        self.fields["models"].choices = [  # type: ignore[attr-defined]
            (name, name) for name in names[:MODELS_LISTED]
        ]


class RepriceStep(Step):
    name, icon, group, order = "reprice", "tag", "money", 110
    label = gettext_lazy("Reprice usage")
    permission, form = "billing.add_usageadjustment", RepriceForm
    foot = gettext_lazy(
        "Events stay as they came. The differences count to the open month; owners get a "
        "mail. Pressed again, nothing is booked twice."
    )

    def why_not(self, organization: Organization) -> str:
        """Nothing was used."""
        return "" if events_of(organization) else _("Nothing was used yet.")

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """The dry run, whole or of the latest events. Raises BusinessError `no_change`
        where every event costs what the prices say.
        """
        number = events_of(organization)
        is_whole = number <= MOST_AT_ONCE
        tried = reprice_events(
            now=now,
            dry_run=True,
            models=typed["models"] or None,
            organization_ids=[organization.pk],
            latest=None if is_whole else MOST_AT_ONCE,
        )
        if is_whole and not tried.adjusted:
            raise BusinessError(
                _("Nothing would change: each event costs what today's prices say."),
                code="no_change",
            )
        month_on = open_month(organization, now=now).first_on
        effects = [
            *_lines(tried),
            Effect(_("Counts to"), month_text(month_on)),
            *self.effects(organization, typed, now),
        ]
        if is_whole:
            return Preview(
                _whole_text(tried), effects, button=_("Book the differences")
            )
        facts = {"number": f"{number:,}", "looked": f"{tried.events:,}"}
        sentence = _(
            "%(number)s events are too many for this page: these are the latest "
            "%(looked)s. A job looks at all of them and books; owners get a mail then."
        )
        effects.insert(0, Effect(sentence % facts, is_warning=True))
        sure = _("Yes, for all %(number)s events, of which %(looked)s were looked at.")
        return Preview(
            _whole_text(tried), effects, sure=sure % facts, button=_("Start the job")
        )

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act, or by the job that does."""
        models = typed["models"] or None
        number = events_of(organization)
        if number > MOST_AT_ONCE:
            record_change(
                organization,
                actor=actor,
                action="usage.reprice_begin",
                subject=organization.name,
                now=now,
                to_value=number,
            )
            operator = operator_of(request)
            enqueue(
                reprice_customer, organization.pk, models, operator.pk, actor.reason
            )
            return _(
                "The job has begun. The audit says when it ended; if it doesn't within "
                "an hour, press again: nothing is booked twice."
            )
        done = reprice_events(
            now=now, models=models, actor=actor, organization_ids=[organization.pk]
        )
        return _whole_text(done, is_done=True)


def events_of(organization: Organization) -> int:
    """How many events there are, by the counters."""
    months = OrganizationMonth.objects.filter(organization=organization)
    return months.aggregate(sum=Sum("events"))["sum"] or 0


def _whole_text(repriced: Repriced, *, is_done: bool = False) -> str:
    if is_done:
        sentence = ngettext(
            "%(count)s event was adjusted, %(amount)s in total.",
            "%(count)s events were adjusted, %(amount)s in total.",
            repriced.adjusted,
        )
    else:
        sentence = ngettext(
            "%(count)s of %(events)s event would be adjusted, %(amount)s in total.",
            "%(count)s of %(events)s events would be adjusted, %(amount)s in total.",
            repriced.events,
        )
    return sentence % {
        "count": f"{repriced.adjusted:,}",
        "events": f"{repriced.events:,}",
        "amount": format_usd(repriced.nanos),
    }


def _lines(repriced: Repriced) -> Iterator[Effect]:
    """By model and month, the largest differences first, and what all others come to."""
    lines = sorted(
        repriced.by_month.items(), key=lambda line: (-abs(line[1][1]), line[0])
    )
    for (model, month_on), (count, nanos) in lines[:LINES_SHOWN]:
        yield Effect(_line_label(model, month_on, count), format_usd(nanos))
    rest = lines[LINES_SHOWN:]
    if rest:
        label = ngettext("%(lines)d more line", "%(lines)d more lines", len(rest))
        nanos = sum(line[1][1] for line in rest)
        yield Effect(label % {"lines": len(rest)}, format_usd(nanos))


def _line_label(model: str, month_on: dt.date, count: int) -> str:
    events = ngettext("%(count)s event", "%(count)s events", count)
    return f"{model}, {month_text(month_on)}, {events % {'count': f'{count:,}'}}"


register(RepriceStep())
