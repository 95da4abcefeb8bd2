"""Bounds of what is counted and of what operators type, so that no sum leaves 64 bits."""

from django.db import migrations, models

import billing.models.limits


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_past_timezones"),
        ("billing", "0014_reopened_invoices"),
    ]

    operations = [
        migrations.AlterField(
            model_name="modelprice",
            name="cache_read_nanos",
            field=models.BigIntegerField(
                validators=[billing.models.limits.AtMost(10000000000000)],
                verbose_name="cache read, per million",
            ),
        ),
        migrations.AlterField(
            model_name="modelprice",
            name="cache_write_1h_nanos",
            field=models.BigIntegerField(
                validators=[billing.models.limits.AtMost(10000000000000)],
                verbose_name="cache write 1 h, per million",
            ),
        ),
        migrations.AlterField(
            model_name="modelprice",
            name="cache_write_5m_nanos",
            field=models.BigIntegerField(
                validators=[billing.models.limits.AtMost(10000000000000)],
                verbose_name="cache write 5 min, per million",
            ),
        ),
        migrations.AlterField(
            model_name="modelprice",
            name="input_nanos",
            field=models.BigIntegerField(
                validators=[billing.models.limits.AtMost(10000000000000)],
                verbose_name="input, per million",
            ),
        ),
        migrations.AlterField(
            model_name="modelprice",
            name="output_nanos",
            field=models.BigIntegerField(
                validators=[billing.models.limits.AtMost(10000000000000)],
                verbose_name="output, per million",
            ),
        ),
        migrations.AlterField(
            model_name="modelprice",
            name="web_search_nanos",
            field=models.BigIntegerField(
                validators=[billing.models.limits.AtMost(10000000000000)],
                verbose_name="web searches, per thousand",
            ),
        ),
        migrations.AlterField(
            model_name="seatallowance",
            name="amount_nanos",
            field=models.BigIntegerField(
                validators=[billing.models.limits.AtMost(1000000000000000)],
                verbose_name="included (nano-USD)",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ledger_nanos__range", (-75000000000000000, 75000000000000000)),
                    ("pending_nanos__range", (-75000000000000000, 75000000000000000)),
                ),
                name="balance_is_countable",
            ),
        ),
        migrations.AddConstraint(
            model_name="includedwindow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("used_nanos__range", (-75000000000000000, 75000000000000000))
                ),
                name="included_window_is_countable",
            ),
        ),
        migrations.AddConstraint(
            model_name="membermonth",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("included_nanos__range", (-75000000000000000, 75000000000000000)),
                    ("extra_nanos__range", (-75000000000000000, 75000000000000000)),
                    ("unbilled_nanos__range", (-75000000000000000, 75000000000000000)),
                ),
                name="member_month_is_countable",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelprice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("input_nanos__lte", 10000000000000),
                        ("input_nanos__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("output_nanos__lte", 10000000000000),
                        ("output_nanos__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("cache_write_5m_nanos__lte", 10000000000000),
                        ("cache_write_5m_nanos__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("cache_write_1h_nanos__lte", 10000000000000),
                        ("cache_write_1h_nanos__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("cache_read_nanos__lte", 10000000000000),
                        ("cache_read_nanos__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("web_search_nanos__lte", 10000000000000),
                        ("web_search_nanos__isnull", True),
                        _connector="OR",
                    ),
                ),
                name="rates_could_be_real",
            ),
        ),
        migrations.AddConstraint(
            model_name="organizationday",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("extra_nanos__range", (-75000000000000000, 75000000000000000))
                ),
                name="organization_day_is_countable",
            ),
        ),
        migrations.AddConstraint(
            model_name="organizationmonth",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("included_nanos__range", (-75000000000000000, 75000000000000000)),
                    ("extra_nanos__range", (-75000000000000000, 75000000000000000)),
                    ("unbilled_nanos__range", (-75000000000000000, 75000000000000000)),
                ),
                name="organization_month_is_countable",
            ),
        ),
        migrations.AddConstraint(
            model_name="pendingcharge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_nanos__range", (-75000000000000000, 75000000000000000))
                ),
                name="pending_charge_is_countable",
            ),
        ),
        migrations.AddConstraint(
            model_name="seatallowance",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_nanos__lte", 1000000000000000),
                    ("amount_nanos__isnull", True),
                    _connector="OR",
                ),
                name="allowance_could_be_real",
            ),
        ),
        migrations.AddConstraint(
            model_name="spendcap",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount_nanos__lte", 1000000000000000),
                        ("amount_nanos__isnull", True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("month_amount_nanos__lte", 1000000000000000),
                        ("month_amount_nanos__isnull", True),
                        _connector="OR",
                    ),
                ),
                name="spend_cap_could_be_real",
            ),
        ),
        migrations.AddConstraint(
            model_name="usageday",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("included_nanos__range", (-75000000000000000, 75000000000000000)),
                    ("extra_nanos__range", (-75000000000000000, 75000000000000000)),
                    ("unbilled_nanos__range", (-75000000000000000, 75000000000000000)),
                ),
                name="usage_day_is_countable",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagemonth",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("extra_nanos__range", (-75000000000000000, 75000000000000000))
                ),
                name="usage_month_is_countable",
            ),
        ),
    ]
