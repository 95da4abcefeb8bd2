"""Events keep where their report came from and what the provider calls the request; and a
gateway's word may correct telemetry's (X4).
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0048_free_surfaces")]
    operations = [
        migrations.AddField(
            model_name="usageevent",
            name="request_id",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=200,
                verbose_name="request id",
            ),
        ),
        migrations.AddField(
            model_name="usageevent",
            name="source",
            field=models.CharField(
                choices=[
                    ("gateway", "Gateway"),
                    ("telemetry", "Telemetry"),
                    ("import", "Import"),
                ],
                db_default="gateway",
                default="gateway",
                max_length=10,
                verbose_name="source",
            ),
        ),
        migrations.AddField(
            model_name="usageadjustment",
            name="counted",
            field=models.JSONField(blank=True, null=True, verbose_name="counted"),
        ),
        migrations.AlterField(
            model_name="usageadjustment",
            name="source",
            field=models.CharField(
                choices=[
                    ("price", "Price"),
                    ("operator", "Operator"),
                    ("report", "Report"),
                ],
                db_default="price",
                default="price",
                max_length=10,
                verbose_name="source",
            ),
        ),
    ]
