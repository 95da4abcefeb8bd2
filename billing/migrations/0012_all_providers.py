"""Prices of all providers, published factors and names, as `sync_prices` enters them."""

from django.db import migrations
from django.utils import timezone


def forwards(apps, schema_editor):
    from billing.prices.queries.listed import listed_prices
    from billing.prices.queries.published import SAME_PRICES, published_factors

    now = timezone.now()
    ModelPrice = apps.get_model("billing", "ModelPrice")
    PriceFactor = apps.get_model("billing", "PriceFactor")
    ModelAlias = apps.get_model("billing", "ModelAlias")
    PriceList = apps.get_model("billing", "PriceList")
    there = set(
        ModelPrice.objects.filter(superseded_at=None).values_list(
            "provider", "model", "starts_on", "context_above"
        )
    )
    ModelPrice.objects.bulk_create(
        [
            ModelPrice(
                provider=key[0],
                model=key[1],
                starts_on=key[2],
                context_above=key[3],
                source=source,
                created_at=now,
                **rates,
            )
            for key, rates, source in listed_prices()
            if key not in there
        ],
        batch_size=500,
    )
    PriceFactor.objects.bulk_create(
        PriceFactor(**factor._asdict(), source="published", created_at=now)
        for factor in published_factors()
    )
    ModelAlias.objects.bulk_create(
        ModelAlias(name=name, **same._asdict(), source="published", created_at=now)
        for name, same in SAME_PRICES.items()
    )
    for prices in PriceList.objects.all():
        prices.version += 1
        prices.save()


def backwards(apps, schema_editor):
    """Before, prices had no provider: only those of the first can stay."""
    ModelPrice = apps.get_model("billing", "ModelPrice")
    ModelPrice.objects.exclude(provider="anthropic").delete()
    apps.get_model("billing", "PriceFactor").objects.all().delete()
    apps.get_model("billing", "ModelAlias").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("billing", "0011_parts_factors_names")]
    operations = [migrations.RunPython(forwards, backwards)]
