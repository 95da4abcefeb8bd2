"""Events get parts, prices a provider, and there are factors and names (M3-M4a).

What was recorded before has no parts of its own: the row is its only part.
"""

import datetime

import django.db.models.deletion
from django.db import migrations, models

from config.kit.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0010_ledger_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelAlias",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(max_length=300, unique=True, verbose_name="name"),
                ),
                (
                    "provider",
                    models.CharField(
                        default="anthropic", max_length=40, verbose_name="provider"
                    ),
                ),
                ("model", models.CharField(max_length=120, verbose_name="model")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("package", "genai-prices"),
                            ("operator", "Operator"),
                            ("fallback", "Fallback"),
                            ("published", "Published"),
                        ],
                        max_length=10,
                        verbose_name="source",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="entered")),
            ],
            options={
                "verbose_name": "model name",
                "verbose_name_plural": "model names",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="PriceFactor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "condition",
                    models.CharField(
                        choices=[
                            ("speed", "Speed"),
                            ("inference_geo", "Inference region"),
                            ("service_tier", "Service tier"),
                        ],
                        max_length=20,
                        verbose_name="condition",
                    ),
                ),
                ("value", models.CharField(max_length=40, verbose_name="value")),
                (
                    "pattern",
                    models.CharField(
                        help_text="provider/model, with * for anything: anthropic/claude-opus-*",
                        max_length=160,
                        verbose_name="models",
                    ),
                ),
                (
                    "starts_on",
                    models.DateField(
                        default=datetime.date(1970, 1, 1), verbose_name="from (UTC)"
                    ),
                ),
                (
                    "millionths",
                    models.BigIntegerField(verbose_name="factor, in millionths"),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("package", "genai-prices"),
                            ("operator", "Operator"),
                            ("fallback", "Fallback"),
                            ("published", "Published"),
                        ],
                        max_length=10,
                        verbose_name="source",
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        blank=True,
                        help_text="Where the figure comes from: a page or a contract.",
                        max_length=200,
                        verbose_name="reference",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="entered")),
                (
                    "superseded_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="superseded"
                    ),
                ),
            ],
            options={
                "verbose_name": "price factor",
                "verbose_name_plural": "price factors",
                "ordering": [
                    "condition",
                    "value",
                    "pattern",
                    "starts_on",
                    "-created_at",
                ],
            },
        ),
        migrations.CreateModel(
            name="UsagePart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                ("kind", models.CharField(max_length=40, verbose_name="kind")),
                ("model", models.CharField(max_length=300, verbose_name="model")),
                (
                    "input_tokens",
                    models.BigIntegerField(default=0, verbose_name="input"),
                ),
                (
                    "output_tokens",
                    models.BigIntegerField(default=0, verbose_name="output"),
                ),
                (
                    "cache_write_5m_tokens",
                    models.BigIntegerField(default=0, verbose_name="cache write 5 min"),
                ),
                (
                    "cache_write_1h_tokens",
                    models.BigIntegerField(default=0, verbose_name="cache write 1 h"),
                ),
                (
                    "cache_read_tokens",
                    models.BigIntegerField(default=0, verbose_name="cache read"),
                ),
                (
                    "web_searches",
                    models.BigIntegerField(default=0, verbose_name="web searches"),
                ),
                ("cost_nanos", models.BigIntegerField(verbose_name="cost (nano-USD)")),
                (
                    "estimated",
                    models.BooleanField(default=False, verbose_name="estimated"),
                ),
                (
                    "is_guessed",
                    models.BooleanField(default=False, verbose_name="guessed"),
                ),
                (
                    "factors",
                    models.JSONField(blank=True, null=True, verbose_name="factors"),
                ),
            ],
            options={
                "verbose_name": "part of an event",
                "verbose_name_plural": "parts of events",
                "ordering": ["event", "position"],
            },
        ),
        migrations.CreateModel(
            name="UnknownModel",
            fields=[],
            options={
                "verbose_name": "unknown model",
                "verbose_name_plural": "unknown models",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("billing.usageevent",),
        ),
        migrations.AlterModelOptions(
            name="modelprice",
            options={
                "ordering": [
                    "provider",
                    "model",
                    "starts_on",
                    "context_above",
                    "-created_at",
                ],
                "verbose_name": "model price",
                "verbose_name_plural": "model prices",
            },
        ),
        migrations.RemoveConstraint(
            model_name="modelprice",
            name="one_price_in_force",
        ),
        migrations.AddField(
            model_name="modelprice",
            name="provider",
            field=models.CharField(
                db_default="anthropic",
                default="anthropic",
                help_text="As genai-prices names it, such as anthropic or openai.",
                max_length=40,
                verbose_name="provider",
            ),
        ),
        migrations.AddField(
            model_name="usageevent",
            name="factors",
            field=models.JSONField(blank=True, null=True, verbose_name="factors"),
        ),
        migrations.AddField(
            model_name="usageevent",
            name="is_split",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="in parts"
            ),
        ),
        migrations.AddField(
            model_name="usageevent",
            name="provider",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=40,
                verbose_name="provider",
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="model",
            field=models.CharField(blank=True, max_length=300, verbose_name="model"),
        ),
        migrations.AlterField(
            model_name="modelprice",
            name="source",
            field=models.CharField(
                choices=[
                    ("package", "genai-prices"),
                    ("operator", "Operator"),
                    ("fallback", "Fallback"),
                    ("published", "Published"),
                ],
                max_length=10,
                verbose_name="source",
            ),
        ),
        migrations.AlterField(
            model_name="usageday",
            name="model",
            field=models.CharField(max_length=300, verbose_name="model"),
        ),
        migrations.AlterField(
            model_name="usageevent",
            name="model",
            field=models.CharField(max_length=300, verbose_name="model"),
        ),
        migrations.AlterField(
            model_name="usagemonth",
            name="model",
            field=models.CharField(max_length=300, verbose_name="model"),
        ),
        migrations.AddConstraint(
            model_name="modelprice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_at__isnull", True)),
                fields=("provider", "model", "starts_on", "context_above"),
                name="one_price_in_force",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricefactor",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_at__isnull", True)),
                fields=("condition", "value", "pattern", "starts_on"),
                name="one_factor_in_force",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricefactor",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("millionths__gte", 0), ("millionths__lte", 100000000)
                ),
                name="factor_is_between_0_and_100",
            ),
        ),
        migrations.AddField(
            model_name="usagepart",
            name="event",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="parts",
                to="billing.usageevent",
            ),
        ),
        migrations.AddField(
            model_name="usagepart",
            name="price",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.modelprice",
            ),
        ),
        migrations.AddField(
            model_name="usageadjustment",
            name="part",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="adjustments",
                to="billing.usagepart",
                verbose_name="part",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagepart",
            constraint=models.UniqueConstraint(
                fields=("event", "position"), name="one_part_a_position"
            ),
        ),
        migrations.AddConstraint(
            model_name="usagepart",
            constraint=models.CheckConstraint(
                condition=models.Q(("cost_nanos__gte", 0)),
                name="part_cost_is_not_negative",
            ),
        ),
        append_only("billing_usagepart"),
    ]
