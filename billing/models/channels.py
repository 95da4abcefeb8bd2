"""Channels of an organization (N3): where its events are sent, the events as they
happened, and each delivery with its answer.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from billing.models.notices import Notice
from config.kit.retried import RetriedQuerySet

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
# What is kept of the receiver's answer.
ANSWER_LENGTH = 200


class ChannelKind(models.TextChoices):
    SLACK = "slack", _("Slack")
    WEBHOOK = "webhook", _("Webhook")


class EventType(models.TextChoices):
    """What is told; the names are published in docs/webhooks.md, so none is changed."""

    CAP_THRESHOLD = "cap.threshold_reached", _("A spend cap comes near or is reached")
    CAP_CHANGED = "cap.changed", _("A spend cap was changed")
    SOFT_LIMIT = "soft_limit.reached", _("A soft limit is reached")
    INCLUDED_THRESHOLD = (
        "included.threshold_reached",
        _("Included usage comes to its end"),
    )
    CHANGEOVER = "changeover", _("Extra usage begins for a person")
    BALANCE_LOW = "balance.low", _("The balance is low")
    BALANCE_EXHAUSTED = "balance.exhausted", _("The balance is used up")
    BALANCE_SHORT = "balance.will_not_last", _("The balance will not last the month")
    REQUEST_CREATED = "request.created", _("Somebody requests more usage")
    REQUEST_DECIDED = "request.decided", _("A request was decided")
    REQUEST_ENDED = "request.ended", _("A request ended by itself or was taken back")
    MONTH_CLOSED = "month.closed", _("A month was closed")
    INVOICE_ISSUED = "invoice.issued", _("An invoice was issued")
    INVOICE_PAID = "invoice.paid", _("An invoice was paid")
    RELOAD_SUCCEEDED = "reload.succeeded", _("Auto-reload bought balance")
    RELOAD_DECLINED = "reload.declined", _("Auto-reload was declined")
    PURCHASE_SUCCEEDED = "purchase.succeeded", _("Balance was bought")
    SWITCHED = "extra_usage.switched", _("Extra usage was switched on or off")
    TEST = "channel.test", _("Test")


# What can be chosen; a test goes wherever it is sent to.
CHOSEN_TYPES = tuple(one.value for one in EventType if one is not EventType.TEST)


class PausedWhy(models.TextChoices):
    OWNER = "owner", _("Paused by an owner")
    FAILED = "failed", _("Paused after failed deliveries")
    GONE = "gone", _("Paused: the receiver is gone")


class ChannelQuerySet(models.QuerySet["Channel"]):
    def present(self) -> ChannelQuerySet:
        """Those nobody has removed."""
        return self.filter(removed_at__isnull=True)


class Channel(models.Model):
    """An address outside that an organization's events go to.

    The address is a secret (of Slack it is all that is needed to write there): sealed,
    with `host` and the last letters beside it to show. A removed channel keeps its
    deliveries and has no secrets any more.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="channels"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=ChannelKind)
    name = models.CharField(_("name"), max_length=80)
    sealed_url = models.TextField(_("address, sealed"), blank=True)
    host = models.CharField(_("host"), max_length=270)
    url_end = models.CharField(_("last letters of the address"), max_length=4)
    sealed_secret = models.TextField(_("signing secret, sealed"), blank=True)
    secret_made_at = models.DateTimeField(_("secret made"), null=True, blank=True)
    # After a rotation both sign until then.
    sealed_old_secret = models.TextField(
        _("signing secret before, sealed"), blank=True, db_default=""
    )
    old_secret_until = models.DateTimeField(
        _("signing secret before is used until"), null=True, blank=True
    )
    # Types of events; empty: all, also those that are added later.
    events = models.JSONField(_("events"), default=list, blank=True)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("made"))
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    paused_why = models.CharField(
        _("why it is paused"),
        max_length=8,
        choices=PausedWhy,
        blank=True,
        db_default="",
    )
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ChannelKind.values), name="channel_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True, paused_why="")
                | (Q(paused_at__isnull=False) & ~Q(paused_why="")),
                name="channel_is_paused_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True)
                | Q(sealed_url="", sealed_secret="", sealed_old_secret=""),
                name="removed_channel_has_no_secrets",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_on(self) -> bool:
        """Whether it is sent to now."""
        return self.paused_at is None and self.removed_at is None

    @property
    def shown_address(self) -> str:
        """What is shown of its address: the host and the last four letters."""
        return f"{self.host}/…{self.url_end}"

    def wants(self, event_type: str) -> bool:
        """Whether events of this type go there."""
        return (
            event_type == EventType.TEST or not self.events or event_type in self.events
        )


class ChannelEvent(models.Model):
    """Something that happened, as it is told outside; written in the transaction of the
    act, where a channel wants it. `key` names what is told once.

    People stand in its payload by their number alone; who they are is filled in when it
    is sent.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        related_name="channel_events",
        db_index=False,
    )
    type = models.CharField(_("type"), max_length=40, choices=EventType)
    key = models.CharField(_("key"), max_length=120)
    payload = models.JSONField(_("payload"))
    occurred_at = models.DateTimeField(_("happened"))
    notice = models.ForeignKey(
        Notice, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("event for channels")
        verbose_name_plural = _("events for channels")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "key"], name="one_channel_event_per_key"
            ),
            models.CheckConstraint(
                condition=Q(type__in=EventType.values), name="channel_event_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.key}"

    @property
    def data(self) -> dict[str, Any]:
        """What happened."""
        found: dict[str, Any] = self.payload["data"]
        return found


class ChannelDeliveryQuerySet(RetriedQuerySet["ChannelDelivery"]):
    next_try_field = "next_try_at"
    tries_field = "tries"
    # Longer than one try takes whatever the receiver does (`config.kit.outgoing`).
    claim_lasts = MINUTE
    waits = (
        MINUTE,
        5 * MINUTE,
        30 * MINUTE,
        *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24)),
    )

    def unfinished(self) -> ChannelDeliveryQuerySet:
        """Neither arrived, given up nor overtaken; also those of a paused channel."""
        return self.filter(
            sent_at__isnull=True, failed_at__isnull=True, overtaken_at__isnull=True
        )

    def failed(self) -> ChannelDeliveryQuerySet:
        """Given up."""
        return self.filter(failed_at__isnull=False)


class ChannelDelivery(models.Model):
    """One event on its way to one channel.

    `message_id` is the receiver's `webhook-id`: the same in every try and when it is
    sent again, so that who took it once can tell. While its channel is paused a
    delivery has no `next_try_at` and waits.
    """

    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="deliveries"
    )
    event = models.ForeignKey(
        ChannelEvent, on_delete=models.CASCADE, related_name="deliveries"
    )
    message_id = models.CharField(_("message id"), max_length=40, unique=True)
    created_at = models.DateTimeField(_("made"))
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    # Of the last try: the HTTP status, or why there was none (`outgoing.Fault`).
    status_code = models.PositiveSmallIntegerField(
        _("answered with"), null=True, blank=True
    )
    fault = models.CharField(_("no answer"), max_length=12, blank=True, db_default="")
    answer = models.CharField(
        _("answer"), max_length=ANSWER_LENGTH, blank=True, db_default=""
    )
    took_ms = models.PositiveIntegerField(_("took (ms)"), null=True, blank=True)
    tried_at = models.DateTimeField(_("last try"), null=True, blank=True)
    sent_at = models.DateTimeField(_("arrived"), null=True, blank=True)
    failed_at = models.DateTimeField(_("given up"), null=True, blank=True)
    # No longer true before it was sent, or its channel was removed.
    overtaken_at = models.DateTimeField(_("overtaken"), null=True, blank=True)
    resent_at = models.DateTimeField(_("sent again"), null=True, blank=True)

    objects = ChannelDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery to a channel")
        verbose_name_plural = _("deliveries to channels")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "channel"], name="one_delivery_per_event_and_channel"
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True, failed_at__isnull=True)
                | Q(sent_at__isnull=True, overtaken_at__isnull=True)
                | Q(failed_at__isnull=True, overtaken_at__isnull=True),
                name="channel_delivery_ends_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=Q(
                    sent_at__isnull=True,
                    failed_at__isnull=True,
                    overtaken_at__isnull=True,
                ),
                name="channel_deliveries_waiting",
            ),
            models.Index(
                fields=["channel", "-created_at"], name="deliveries_of_channel"
            ),
        ]

    def __str__(self) -> str:
        return self.message_id
