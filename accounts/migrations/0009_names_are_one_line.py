"""Names are one visible line: a rule of fields; nothing changes in the database."""

from django.db import migrations, models

import config.kit.one_line


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_former_addresses"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="name",
            field=models.CharField(
                max_length=80,
                validators=[config.kit.one_line.validate_line],
                verbose_name="name",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="name",
            field=models.CharField(
                max_length=120,
                validators=[config.kit.one_line.validate_line],
                verbose_name="name",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="name",
            field=models.CharField(
                max_length=120,
                validators=[config.kit.one_line.validate_line],
                verbose_name="name",
            ),
        ),
    ]
