"""Each API key keeps the way it connects, when it last asked and reported, and the first
event it reported.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0041_unknown_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="last_asked_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="last asked"
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="last_reported_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="last reported"
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="first_event_id",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=200,
                verbose_name="first event",
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="way",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=20,
                verbose_name="way in",
            ),
        ),
    ]
