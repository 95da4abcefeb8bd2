"""A new installation starts with the packaged prices.

Rows are written here with the migration's own models.
"""

from django.db import migrations
from django.utils import timezone


def forwards(apps, schema_editor):
    from billing.prices.actions import SINCE_ALWAYS, fallback_rates, package_prices

    ModelPrice = apps.get_model("billing", "ModelPrice")
    now = timezone.now()
    rows = [*package_prices(), (("", SINCE_ALWAYS, 0), fallback_rates(), "fallback")]
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
