"""Entries that operators book by a form keep the form's key, so that they are booked
once however late the form is sent again. Those before it have none.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_past_timezones"),
        ("billing", "0009_repricing_reason_codes"),
    ]

    operations = [
        migrations.AddField(
            model_name="ledgerentry",
            name="key",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=64,
                verbose_name="form key",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("key", ""), _negated=True),
                fields=("organization", "key"),
                name="one_entry_per_key",
            ),
        ),
    ]
