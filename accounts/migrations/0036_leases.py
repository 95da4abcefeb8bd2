"""Whether gateways may get leases on answers. Not allowed until an owner says so."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0035_audit_reasons"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="leases_allowed",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="gateways may get leases"
            ),
        ),
    ]
