"""Usage events and their later corrections.

Append-only: on PostgreSQL the database refuses to change a row.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Membership, Organization, Tier
from accounts.models.privacy import pseudonyms, run_out
from billing.models.months import OPEN_MONTH
from billing.models.prices import ModelPrice
from billing.models.surfaces import MOST_LETTERS, surface_label
from billing.models.unattributed import UnattributedName
from config.kit.exemptions import Exemption

# What a gateway calls its requests may name a person, and need not be kept for ever.
EVENT_EXEMPTIONS = (
    pseudonyms("labels"),
    Exemption(
        f"CAST(NEW.labels AS text) = '{{}}' AND {run_out('labels', 'recorded_at')}",
        ("labels",),
    ),
)


class ReportSource(models.TextChoices):
    """Where the report of an event came from (X4)."""

    GATEWAY = "gateway", _("Gateway")
    TELEMETRY = "telemetry", _("Telemetry")
    IMPORT = "import", _("Import")


class Funding(models.TextChoices):
    INCLUDED = "included", _("Included")
    EXTRA_USAGE = "extra_usage", _("Extra usage")
    UNBILLED = "unbilled", _("Unbilled")


class FundingWhy(models.TextChoices):
    """Why an event was funded as it was; for a check that would have refused, its
    reason is kept beside.
    """

    PROMISED = "promised", _("Promised by an authorization.")
    CHECKED = "checked", _("A check at that moment would have decided the same.")
    REFUSED = (
        "refused",
        _("A check at that moment would have refused it; it was recorded anyway."),
    )


class Priced(models.Model):
    """What was used, and what it cost by which rates and factors: of an event, or of one
    part of it. Amounts are nano-USD.
    """

    input_tokens = models.BigIntegerField(_("input"), default=0)
    output_tokens = models.BigIntegerField(_("output"), default=0)
    cache_write_5m_tokens = models.BigIntegerField(_("cache write 5 min"), default=0)
    cache_write_1h_tokens = models.BigIntegerField(_("cache write 1 h"), default=0)
    cache_read_tokens = models.BigIntegerField(_("cache read"), default=0)
    web_searches = models.BigIntegerField(_("web searches"), default=0)
    cost_nanos = models.BigIntegerField(_("cost (nano-USD)"))
    price = models.ForeignKey(
        ModelPrice,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    estimated = models.BooleanField(_("estimated"), default=False)
    # The conditions it ran under with what each multiplied by, in millionths; null where
    # no factor was known: {"speed": ["fast", 2000000]} (M3a).
    factors = models.JSONField(_("factors"), null=True, blank=True)

    class Meta:
        abstract = True


class UsageEvent(Priced):
    """One request that ran: its tokens, what it cost and who pays; the sums of its parts
    where it has some. All amounts are nano-USD.
    """

    # No database-level foreign keys where the membership's already proves it: they cost
    # a look-up each event.
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="usage_events",
        db_index=False,
        db_constraint=False,
    )
    membership = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        related_name="usage_events",
        db_index=False,
    )
    # Which key reported it, for receipts and to see what is connected; empty for what no
    # key did, and of events from before it was kept. The tokens of somebody erased are
    # deleted, while their events stay as they are: the number then leads nowhere. Read it
    # by `select_related`, which finds None.
    api_key = models.ForeignKey(
        ApiKey,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("API key"),
    )
    event_id = models.CharField(_("id"), max_length=200)
    content_digest = models.CharField(max_length=32)
    # What the provider calls the request, by which two reports of it are one (X4).
    request_id = models.CharField(
        _("request id"), max_length=200, blank=True, default="", db_default=""
    )
    source = models.CharField(
        _("source"),
        max_length=10,
        choices=ReportSource,
        default=ReportSource.GATEWAY,
        db_default="gateway",
    )
    surface = models.CharField(_("surface"), max_length=MOST_LETTERS)
    # As it came; what it is priced as is on the price.
    model = models.CharField(_("model"), max_length=300)
    provider = models.CharField(
        _("provider"), max_length=40, blank=True, default="", db_default=""
    )
    seat_tier = models.CharField(_("seat"), max_length=10, choices=Tier, blank=True)
    occurred_at = models.DateTimeField(_("occurred"))
    recorded_at = models.DateTimeField(_("recorded"))
    # The month it counts to, and the day in it: that of recording for an event too late
    # for its own month (P1).
    month_on = models.DateField(_("billing month"))
    day_on = models.DateField(_("day"))
    # Whether its parts are rows of their own; else the row is its only part (M3).
    is_split = models.BooleanField(_("in parts"), default=False, db_default=False)
    funding = models.CharField(_("paid by"), max_length=12, choices=Funding)
    # Whether, as extra usage, it draws on a prepaid balance (T2), by the organization's
    # settlement when recorded.
    prepaid = models.BooleanField(_("prepaid"), default=False, db_default=False)
    funding_why = models.CharField(_("why"), max_length=10, choices=FundingWhy)
    # The number of the authorization it came with; unless `funding_why` says “promised”,
    # that had paid for another event already (E4).
    promise = models.BigIntegerField(_("authorization"), null=True, blank=True)
    refusal_reason = models.CharField(
        _("reason a check would have refused"), max_length=40, blank=True
    )
    # Under which name it came, where that was nobody's (X2).
    unattributed = models.ForeignKey(
        UnattributedName,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="usage_events",
        verbose_name=_("sent as"),
        db_index=False,
        db_constraint=False,
    )
    # Which included windows it counts in: {"session": opened_at, "week": opened_at},
    # ISO 8601 in UTC.
    windows = models.JSONField(default=dict, blank=True)
    labels = models.JSONField(_("labels"), default=dict, blank=True)

    append_only = True
    exemptions = EVENT_EXEMPTIONS
    guards = (OPEN_MONTH,)

    class Meta:
        verbose_name = _("usage event")
        verbose_name_plural = _("usage events")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "event_id"], name="one_event_per_id"
            ),
            # by time, so that the index grows at its end
            models.UniqueConstraint(
                fields=["promise", "membership"],
                condition=models.Q(
                    funding_why=FundingWhy.PROMISED, promise__isnull=False
                ),
                name="one_event_per_promise",
            ),
            models.CheckConstraint(
                condition=models.Q(cost_nanos__gte=0), name="event_cost_is_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["membership", "occurred_at"], name="events_of_member"),
            models.Index(
                fields=["price"],
                condition=models.Q(estimated=True),
                name="estimated_events",
            ),
            models.Index(
                fields=["organization", "request_id", "occurred_at"],
                condition=~models.Q(request_id=""),
                name="events_by_request_id",
            ),
            # Few are: all others cost it nothing.
            models.Index(
                fields=["unattributed", "id"],
                condition=models.Q(unattributed__isnull=False),
                name="unattributed_events",
            ),
        ]

    def __str__(self) -> str:
        return self.event_id

    @property
    def surface_label(self) -> str:
        """Where it was used, in words."""
        return surface_label(self.surface)


class UnknownModel(UsageEvent):
    """What operators open to see the models nobody has a price for (M4)."""

    class Meta:
        proxy = True
        verbose_name = _("unknown model")
        verbose_name_plural = _("unknown models")


class UsagePart(Priced):
    """One inference inside a request: a message, a compaction, an advisor's or a
    fallback's message, priced by itself (M3). Amounts are nano-USD.
    """

    event = models.ForeignKey(
        UsageEvent,
        on_delete=models.PROTECT,
        related_name="parts",
        db_index=False,
    )
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=40)
    model = models.CharField(_("model"), max_length=300)
    is_guessed = models.BooleanField(_("guessed"), default=False)

    append_only = True

    class Meta:
        verbose_name = _("part of an event")
        verbose_name_plural = _("parts of events")
        ordering = ["event", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "position"], name="one_part_a_position"
            ),
            models.CheckConstraint(
                condition=models.Q(cost_nanos__gte=0), name="part_cost_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id}/{self.position}"


class AdjustmentSource(models.TextChoices):
    PRICE = "price", _("Price")
    OPERATOR = "operator", _("Operator")
    REPORT = "report", _("Report")
    ASSIGNED = "assigned", _("Assigned to a member")


class AssigningReason(models.TextChoices):
    """The codes `UsageAdjustment.reason` keeps where usage moved from the unattributed
    line to a member (X2): two rows, of which one takes what the other gives.
    """

    TAKEN = "assigned.taken", _("Assigned to a member; taken off unattributed usage.")
    GIVEN = "assigned.given", _("Assigned from unattributed usage.")


class RepricingReason(models.TextChoices):
    """Why a price booked a difference: the codes `UsageAdjustment.reason` keeps.

    They are worded when shown, in the reader's language; an operator's reason is text.
    """

    MODEL_PRICED = (
        "repricing.model_priced",
        _(
            "The model now has a price; until then, its cost was estimated at the "
            "fallback rate."
        ),
    )
    PRICE_CORRECTED = (
        "repricing.price_corrected",
        _("The price used for this charge was corrected."),
    )
    FACTOR_CHANGED = (
        "repricing.factor_changed",
        _("The factor used for this charge changed, or there is one now."),
    )
    NAME_MAPPED = (
        "repricing.name_mapped",
        _("The name of the model is known now; its cost was estimated until then."),
    )


# Why a second report of the same request booked a difference (X4): the code that
# `UsageAdjustment.reason` keeps.
GATEWAY_COUNTED = "report.gateway"


class UsageAdjustment(models.Model):
    """A difference booked later for one event: a corrected price (M4), an operator's
    decision, a gateway's count where telemetry's had been recorded (X4), or the move of
    unattributed usage to a member (X2).

    Counts to the month it was booked in.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="usage_adjustments"
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="usage_adjustments"
    )
    event = models.ForeignKey(
        UsageEvent, on_delete=models.PROTECT, related_name="adjustments"
    )
    # The part whose model the difference counts to; empty for the event as a whole.
    part = models.ForeignKey(
        UsagePart,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="adjustments",
        verbose_name=_("part"),
    )
    # What a gateway counted instead, which holds and is repriced from then on:
    # {"provider", "conditions", "parts": [[model, counts], …]} (X4).
    counted = models.JSONField(_("counted"), null=True, blank=True)
    amount_nanos = models.BigIntegerField(_("difference (nano-USD)"))
    price = models.ForeignKey(ModelPrice, on_delete=models.PROTECT, related_name="+")
    prepaid = models.BooleanField(_("prepaid"), default=False, db_default=False)
    source = models.CharField(
        _("source"),
        max_length=10,
        choices=AdjustmentSource,
        default=AdjustmentSource.PRICE,
        db_default="price",
    )
    # A `RepricingReason`, GATEWAY_COUNTED, or what an operator wrote.
    reason = models.CharField(_("reason"), max_length=200)
    key = models.CharField(
        _("form key"), max_length=64, null=True, blank=True, unique=True
    )  # an operator's press of a button, or which report it was
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("booked by"),
    )
    created_at = models.DateTimeField(_("booked"))
    month_on = models.DateField(_("billing month"))
    day_on = models.DateField(_("day"))

    append_only = True
    exemptions = (pseudonyms("reason"),)
    guards = (OPEN_MONTH,)

    class Meta:
        verbose_name = _("usage adjustment")
        verbose_name_plural = _("usage adjustments")
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["organization", "month_on"], name="adjustments_of_month"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
