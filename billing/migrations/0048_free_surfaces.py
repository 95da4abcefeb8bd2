"""A surface is a short free name, no longer one of two (X4)."""

from django.db import migrations, models


def _free(model_name, **options):
    return migrations.AlterField(
        model_name=model_name,
        name="surface",
        field=models.CharField(max_length=40, verbose_name="surface", **options),
    )


class Migration(migrations.Migration):
    dependencies = [("billing", "0045_refuse_emptying")]
    operations = [
        _free("usageevent"),
        _free("organizationday"),
        _free("usageday"),
        _free("usagemonth"),
        _free("invoiceline", blank=True),
    ]
