"""Events and their adjustments, to look at only: each with what its figures come from."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from billing.metering.receipts import receipt_of
from billing.models import (
    UsageAdjustment,
    UsageEvent,
)
from billing.prices.words import correction_reason_text
from config.kit.admin import ReadOnly
from config.kit.money import format_usd, to_decimal_text


class AdjustmentInline(ReadOnly, admin.TabularInline):
    model = UsageAdjustment
    fields = ("amount_nanos", "why", "price", "month_on", "created_at")
    readonly_fields = ("why",)
    extra = 0

    @admin.display(description=_("reason"))
    def why(self, adjustment: UsageAdjustment) -> str:
        return correction_reason_text(adjustment.reason)


@admin.register(UsageEvent)
class UsageEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "event_id",
        "organization",
        "member",
        "surface",
        "model",
        "occurred_at",
        "cost",
        "funding",
        "funding_why",
        "estimated",
    )
    list_filter = ("estimated", "funding", "funding_why", "surface", "month_on")
    list_select_related = ("organization", "membership__user")
    search_fields = (
        "event_id",
        "membership__user__email",
        "organization__slug",
        "model",
    )
    date_hierarchy = "recorded_at"
    show_full_result_count = False
    inlines = (AdjustmentInline,)
    fields = (
        "event_id",
        "organization",
        "member",
        "surface",
        "model",
        "seat_tier",
        "occurred_at",
        "recorded_at",
        "month_on",
        "day_on",
        "priced",
        "exact_cost",
        "estimated",
        "funding",
        "funding_why",
        "refusal_reason",
        "windows",
        "labels",
    )
    readonly_fields = ("member", "priced", "exact_cost")

    @admin.display(description=_("Person"), ordering="membership__user__email")
    def member(self, event: UsageEvent) -> str:
        return event.membership.user.email

    @admin.display(description=_("Cost"), ordering="cost_nanos")
    def cost(self, event: UsageEvent) -> str:
        return format_usd(event.cost_nanos)

    @admin.display(description=_("Exact cost in USD"))
    def exact_cost(self, event: UsageEvent) -> str:
        return to_decimal_text(event.cost_nanos)

    @admin.display(description=_("Tokens × rates"))
    def priced(self, event: UsageEvent) -> SafeString:
        return format_html_join(
            "\n",
            "<div>{}: {} {} × ${} / {} {}</div>",
            (
                (
                    f"{part.word} ({part.model})",
                    line.count,
                    line.word,
                    line.rate_usd,
                    line.unit,
                    " ".join(part.factor_texts) if line.token_class.is_token else "",
                )
                for part in receipt_of(event).parts
                for line in part.lines
            ),
        )
