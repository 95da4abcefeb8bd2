"""Forgetting the labels of old events, by the setting RETAIN_LABELS_DAYS.

The events stay, with all that was counted and billed; reports by label show them under
no label from then on.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.actions.retention import move_mark
from accounts.models import RetentionMark
from billing.models import UsageEvent
from config.kit.retention import CHUNK, retains

KIND = "labels"


@retains(KIND, setting="RETAIN_LABELS_DAYS")
def end_labels(before: dt.datetime) -> int:
    """Take the labels from events recorded before; how many had some.

    Goes on where it ended last time: events are recorded in the order of their ids, but
    for moments, and these are long over.
    """
    mark = move_mark(KIND, before)
    count = 0
    while ids := _next_events(mark.through_id, before=before):
        with transaction.atomic():
            old = UsageEvent.objects.filter(pk__in=ids).exclude(labels={})
            count += old.update(labels={})
            mark.through_id = ids[-1]
            RetentionMark.objects.filter(
                pk=mark.pk, through_id__lt=mark.through_id
            ).update(through_id=mark.through_id)
    return count


def _next_events(after: int, *, before: dt.datetime) -> list[int]:
    """The ids of the next events that are old enough, at most a chunk."""
    events = UsageEvent.objects.filter(pk__gt=after).order_by("pk")
    ids = []
    for pk, recorded_at in events.values_list("pk", "recorded_at")[:CHUNK]:
        if recorded_at >= before:
            break
        ids.append(pk)
    return ids
