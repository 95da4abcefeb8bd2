"""What documents say about the buyer is visible lines: a rule of fields; nothing changes
in the database.
"""

from django.db import migrations, models

import config.kit.one_line


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0015_countable"),
    ]

    operations = [
        migrations.AlterField(
            model_name="billingdetails",
            name="address",
            field=models.TextField(
                blank=True,
                max_length=500,
                validators=[config.kit.one_line.validate_lines],
                verbose_name="address",
            ),
        ),
        migrations.AlterField(
            model_name="billingdetails",
            name="legal_name",
            field=models.CharField(
                blank=True,
                max_length=200,
                validators=[config.kit.one_line.validate_line],
                verbose_name="legal name",
            ),
        ),
        migrations.AlterField(
            model_name="billingdetails",
            name="reference",
            field=models.CharField(
                blank=True,
                max_length=100,
                validators=[config.kit.one_line.validate_line],
                verbose_name="your reference",
            ),
        ),
        migrations.AlterField(
            model_name="billingdetails",
            name="tax_id",
            field=models.CharField(
                blank=True,
                max_length=60,
                validators=[config.kit.one_line.validate_line],
                verbose_name="tax number",
            ),
        ),
        migrations.AlterField(
            model_name="billingdetails",
            name="tax_label",
            field=models.CharField(
                blank=True,
                max_length=40,
                validators=[config.kit.one_line.validate_line],
                verbose_name="tax name",
            ),
        ),
    ]
