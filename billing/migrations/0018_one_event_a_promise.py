"""Each event keeps the number of its authorization, which is good for one (E4)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_names_are_one_line"),
        ("billing", "0017_purchase_receipts"),
    ]

    operations = [
        migrations.AddField(
            model_name="usageevent",
            name="promise",
            field=models.BigIntegerField(
                blank=True, null=True, verbose_name="authorization"
            ),
        ),
        migrations.AddConstraint(
            model_name="usageevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("funding_why", "promised"), ("promise__isnull", False)
                ),
                fields=("promise", "membership"),
                name="one_event_per_promise",
            ),
        ),
    ]
