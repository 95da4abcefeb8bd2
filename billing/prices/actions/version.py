"""The version of the price list, which every change of a price, factor or name counts up."""

from __future__ import annotations

from django.db.models import F

from billing.models import PriceList


def lock_price_list() -> None:
    """Let one change of prices at a time in: the nightly job races with operators."""
    PriceList.objects.select_for_update().get_or_create(pk=1)


def count_version_up() -> None:
    """Let each process read the prices again at its next event."""
    PriceList.objects.filter(pk=1).update(version=F("version") + 1)
