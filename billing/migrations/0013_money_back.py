"""Money that goes back at the gateway: disputes, refunds of invoices, refunds without an
operator; ledger entries and statements of disputes.
"""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_past_timezones"),
        ("billing", "0012_all_providers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Dispute",
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
                ("gateway", models.CharField(max_length=20, verbose_name="gateway")),
                (
                    "gateway_id",
                    models.CharField(max_length=100, verbose_name="gateway ID"),
                ),
                (
                    "amount_nanos",
                    models.BigIntegerField(verbose_name="amount (nano-USD)"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("won", "The payment stands"),
                            ("lost", "The money went back"),
                        ],
                        max_length=4,
                        verbose_name="status",
                    ),
                ),
                (
                    "is_inquiry",
                    models.BooleanField(default=False, verbose_name="inquiry"),
                ),
                (
                    "reason",
                    models.CharField(blank=True, max_length=60, verbose_name="reason"),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                (
                    "evidence_due_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="answer due"
                    ),
                ),
                (
                    "closed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="closed"),
                ),
                (
                    "withdrawn_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="money taken"
                    ),
                ),
                (
                    "reinstated_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="money given back"
                    ),
                ),
                ("told_at", models.DateTimeField(verbose_name="last told")),
            ],
            options={
                "verbose_name": "dispute",
                "verbose_name_plural": "disputes",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="InvoiceRefund",
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
                    "gateway_id",
                    models.CharField(
                        blank=True, max_length=100, verbose_name="gateway ID"
                    ),
                ),
                (
                    "amount_nanos",
                    models.BigIntegerField(verbose_name="amount (nano-USD)"),
                ),
                (
                    "reason",
                    models.CharField(blank=True, max_length=60, verbose_name="reason"),
                ),
                ("refunded_at", models.DateTimeField(verbose_name="refunded")),
                (
                    "failed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="failed"),
                ),
                (
                    "failure",
                    models.CharField(
                        blank=True, max_length=300, verbose_name="gateway's message"
                    ),
                ),
            ],
            options={
                "verbose_name": "refund of an invoice",
                "verbose_name_plural": "refunds of invoices",
                "ordering": ["pk"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="ledgerentry",
            name="ledger_kind_is_known",
        ),
        migrations.RemoveConstraint(
            model_name="statement",
            name="statement_adds_up",
        ),
        migrations.AddField(
            model_name="gatewaynotice",
            name="payment_intent",
            field=models.CharField(
                blank=True,
                default="",
                max_length=100,
                verbose_name="payment at the gateway",
            ),
        ),
        migrations.AddField(
            model_name="gatewaynotice",
            name="waiting",
            field=models.JSONField(blank=True, null=True, verbose_name="waiting"),
        ),
        migrations.AddField(
            model_name="invoice",
            name="gateway_payment_id",
            field=models.CharField(
                blank=True,
                default="",
                max_length=100,
                verbose_name="payment at the gateway",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="reopened_at",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="open again"
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="disputes_nanos",
            field=models.BigIntegerField(
                db_default=0, default=0, verbose_name="disputes (nano-USD)"
            ),
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("purchase", "Purchase"),
                    ("reload", "Auto-reload"),
                    ("charge", "Usage"),
                    ("refund", "Refund"),
                    ("dispute", "Dispute"),
                    ("credit", "Credit"),
                    ("adjustment", "Adjustment"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="refunded by",
            ),
        ),
        migrations.AddIndex(
            model_name="gatewaynotice",
            index=models.Index(
                condition=models.Q(("waiting__isnull", False)),
                fields=["payment_intent"],
                name="notices_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("gateway_payment_id", ""), _negated=True),
                fields=["gateway_payment_id"],
                name="invoices_by_payment",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "started"), _negated=True),
                    ("created_by__isnull", False),
                    _connector="OR",
                ),
                name="refund_in_flight_is_ours",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(
                condition=models.Q(("gateway_id", ""), _negated=True),
                fields=("payment", "gateway_id"),
                name="one_refund_per_gateway_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "closing_nanos",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    models.F("opening_nanos"),
                                                    "+",
                                                    models.F("purchases_nanos"),
                                                ),
                                                "+",
                                                models.F("reloads_nanos"),
                                            ),
                                            "+",
                                            models.F("charges_nanos"),
                                        ),
                                        "+",
                                        models.F("refunds_nanos"),
                                    ),
                                    "+",
                                    models.F("disputes_nanos"),
                                ),
                                "+",
                                models.F("credits_nanos"),
                            ),
                            "+",
                            models.F("adjustments_nanos"),
                        ),
                    )
                ),
                name="statement_adds_up",
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="invoice",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="disputes",
                to="billing.invoice",
                verbose_name="invoice",
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="disputes",
                to="accounts.organization",
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="payment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="disputes",
                to="billing.payment",
                verbose_name="payment",
            ),
        ),
        migrations.AddField(
            model_name="ledgerentry",
            name="dispute",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="billing.dispute",
                verbose_name="dispute",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "purchase",
                            "reload",
                            "charge",
                            "refund",
                            "dispute",
                            "credit",
                            "adjustment",
                        ],
                    )
                ),
                name="ledger_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "dispute"), _negated=True),
                    ("dispute__isnull", False),
                    _connector="OR",
                ),
                name="dispute_entry_names_its_dispute",
            ),
        ),
        migrations.AddField(
            model_name="invoicerefund",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refunds",
                to="billing.invoice",
                verbose_name="invoice",
            ),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(
                condition=models.Q(("status", "open")),
                fields=["organization"],
                name="disputes_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.UniqueConstraint(
                fields=("gateway", "gateway_id"), name="one_row_per_dispute"
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_nanos__gt", 0)), name="dispute_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "won", "lost"])),
                name="dispute_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("invoice__isnull", True), ("payment__isnull", False)),
                    models.Q(("invoice__isnull", False), ("payment__isnull", True)),
                    _connector="OR",
                ),
                name="dispute_is_of_a_payment_or_an_invoice",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicerefund",
            constraint=models.UniqueConstraint(
                condition=models.Q(("gateway_id", ""), _negated=True),
                fields=("invoice", "gateway_id"),
                name="one_row_per_invoice_refund",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicerefund",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_nanos__gt", 0)),
                name="invoice_refund_is_positive",
            ),
        ),
    ]
