"""A new installation starts with the packaged prices.

Rows are written here with the migration's own models.
"""

from django.db import migrations
from django.utils import timezone


def forwards(apps, schema_editor):
    from billing.models.prices import FIRST_PROVIDER
    from billing.prices.queries.listed import listed_prices

    ModelPrice = apps.get_model("billing", "ModelPrice")
    now = timezone.now()
    # Prices of other providers than the first have a column since 0011.
    rows = [
        ((model, starts_on, above), rates, source)
        for (provider, model, starts_on, above), rates, source in listed_prices()
        if provider == FIRST_PROVIDER
    ]
    ModelPrice.objects.bulk_create(
        ModelPrice(
            model=model,
            starts_on=starts_on,
            context_above=above,
            source=source,
            created_at=now,
            **rates,
        )
        for (model, starts_on, above), rates, source in rows
    )


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_defaults")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
