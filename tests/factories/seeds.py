"""The rows migrations write, again: transactional tests start with emptied tables."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps

from billing.models import PriceList

SEEDING = ("0003_defaults", "0004_prices", "0012_all_providers")


def seed() -> None:
    """Write the default rows unless they are there."""
    if PriceList.objects.exists():
        return
    for name in SEEDING:
        import_module(f"billing.migrations.{name}").forwards(apps, None)
