"""Events and their adjustments, to look at only: each with what its figures come from."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import admin
from django.db.models import Model, Q
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from accounts.operators.reads import ReadsAreKept
from accounts.operators.steps import Chosen, LeadsToSteps
from billing.metering.receipts import receipt_of
from billing.models import (
    Funding,
    UsageAdjustment,
    UsageEvent,
)
from billing.prices.words import correction_reason_text
from config.kit.admin import ReadOnly
from config.kit.columns import dollars, exact_dollars
from config.kit.filters import MonthFilter, titled
from config.kit.large_tables import LargeTable, RecentValues


def events_called(event_id: str, *, column: str = "event_id") -> Q:
    """Events with that ID in any organization: the index begins with the organization,
    of which there are few.
    """
    organizations = list(Organization.objects.values_list("pk", flat=True))
    return Q(**{"organization_id__in": organizations, column: event_id})


class AdjustmentInline(ReadOnly, admin.TabularInline):
    model = UsageAdjustment
    fields = ("amount_nanos", "why", "price", "month_on", "created_at")
    readonly_fields = ("why",)
    extra = 0

    @admin.display(description=_("reason"))
    def why(self, adjustment: UsageAdjustment) -> str:
        return correction_reason_text(adjustment.reason)


@admin.register(UsageEvent)
class UsageEventAdmin(
    LeadsToSteps, ReadsAreKept, ReadOnly, LargeTable, admin.ModelAdmin
):
    list_display = (
        "event_id",
        "organization",
        "member",
        "used",
        "occurred_at",
        "cost",
        "paid_by",
    )
    list_filter = (
        ("month_on", MonthFilter),
        ("surface", RecentValues),
        "source",
        "funding",
        ("funding_why", titled(_("why paid so"), admin.ChoicesFieldListFilter)),
        ("estimated", titled(_("cost estimated"), admin.BooleanFieldListFilter)),
        ("recorded_at", admin.DateFieldListFilter),
    )
    list_select_related = ("organization", "membership__user")
    found_by = (
        "event_id",
        "request_id",
        "membership__user__email",
        "organization__slug",
    )
    sortable_by = ()
    latest = 1_000_000
    inlines = (AdjustmentInline,)
    fields = (
        "event_id",
        "request_id",
        "organization",
        "member",
        "source",
        "surface",
        "model",
        "seat_tier",
        "occurred_at",
        "recorded_at",
        "api_key",
        "month_on",
        "day_on",
        "priced",
        "exact_cost",
        "estimated",
        "funding",
        "funding_why",
        "promise",
        "refusal_reason",
        "windows",
        "labels",
    )
    readonly_fields = ("member", "priced", "exact_cost")

    def steps_on(self, row: UsageEvent) -> Iterator[Chosen]:
        """Charge it more or less, where somebody pays for it."""
        if row.funding == Funding.EXTRA_USAGE:
            yield "adjust", {"event": row.event_id}

    def _found(self, model: type[Model], path: str, word: str) -> Q:
        """Events by their ID or the provider's, and as everywhere."""
        if path == "event_id":
            return events_called(word)
        if path == "request_id":
            return events_called(word, column=path)
        return super()._found(model, path, word)

    @admin.display(description=_("Person"), ordering="membership__user__email")
    def member(self, event: UsageEvent) -> str:
        return event.membership.user.email

    @admin.display(description=_("Cost"), ordering="cost_nanos")
    def cost(self, event: UsageEvent) -> str:
        return dollars(event.cost_nanos)

    @admin.display(description=_("Model"), ordering="model")
    def used(self, event: UsageEvent) -> str:
        return format_html(
            '{} <span class="op-sub">{}</span>', event.model, event.surface_label
        )

    @admin.display(description=_("Paid by"), ordering="funding")
    def paid_by(self, event: UsageEvent) -> str:
        paid = event.get_funding_display()
        if not event.estimated:
            return str(paid)
        estimated = gettext("cost estimated")
        return format_html('{} <span class="op-sub">{}</span>', paid, estimated)

    @admin.display(description=_("Cost"))
    def exact_cost(self, event: UsageEvent) -> str:
        return exact_dollars(event.cost_nanos)

    @admin.display(description=_("Tokens × rates"))
    def priced(self, event: UsageEvent) -> SafeString:
        return format_html_join(
            "\n",
            "<div>{}: {} {} × ${} / {} {}</div>",
            (
                (
                    f"{part.word} ({part.model})",
                    f"{line.count:,}",
                    line.word,
                    line.rate_usd,
                    line.unit,
                    " ".join(part.factor_texts) if line.token_class.is_token else "",
                )
                for part in receipt_of(event).parts
                for line in part.lines
            ),
        )
