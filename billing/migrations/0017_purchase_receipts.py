"""Receipts of purchases. Those of old get one as well, without tax: nobody was told of
any when they paid.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from config.kit.append_only import append_only


def seller_now():
    return {
        "name": settings.SELLER_NAME,
        "address": settings.SELLER_ADDRESS,
        "tax_id": settings.SELLER_TAX_ID,
        "email": settings.SELLER_EMAIL,
        "note": settings.INVOICE_NOTE,
    }


def buyer_now(organization, details):
    lines = [line.strip() for line in details.address.splitlines()] if details else []
    return {
        "name": (details and details.legal_name) or organization.name,
        "address": [line for line in lines if line],
        "tax_id": details.tax_id if details else "",
        "reference": details.reference if details else "",
        "email": organization.billing_email,
    }


def forwards(apps, schema_editor):
    payments = apps.get_model("billing", "Payment").objects
    receipts = apps.get_model("billing", "PurchaseReceipt").objects
    all_details = apps.get_model("billing", "BillingDetails").objects
    paid = payments.filter(status="succeeded", settled_at__isnull=False)
    sequences = {}
    for payment in paid.select_related("organization").order_by("settled_at", "pk"):
        organization = payment.organization
        sequence = sequences[organization.pk] = sequences.get(organization.pk, 0) + 1
        details = all_details.filter(organization=organization).first()
        receipts.create(
            organization=organization,
            payment=payment,
            sequence=sequence,
            number=f"{organization.slug.upper()}-R-{sequence:04d}",
            subtotal_nanos=payment.amount_nanos,
            total_nanos=payment.amount_nanos,
            zone=organization.timezone,
            seller=seller_now(),
            buyer=buyer_now(organization, details),
            issued_at=payment.settled_at,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_names_are_one_line"),
        ("billing", "0016_billing_details_are_one_line"),
    ]
    operations = [
        migrations.CreateModel(
            name="PurchaseReceipt",
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
                ("sequence", models.PositiveIntegerField(verbose_name="sequence")),
                ("number", models.CharField(max_length=80, verbose_name="number")),
                (
                    "subtotal_nanos",
                    models.BigIntegerField(verbose_name="subtotal (nano-USD)"),
                ),
                (
                    "tax_label",
                    models.CharField(
                        blank=True, max_length=40, verbose_name="tax name"
                    ),
                ),
                (
                    "tax_rate",
                    models.PositiveIntegerField(
                        default=0, verbose_name="tax rate (thousandths of a percent)"
                    ),
                ),
                (
                    "tax_nanos",
                    models.BigIntegerField(default=0, verbose_name="tax (nano-USD)"),
                ),
                (
                    "total_nanos",
                    models.BigIntegerField(verbose_name="total (nano-USD)"),
                ),
                ("zone", models.CharField(max_length=64, verbose_name="time zone")),
                ("seller", models.JSONField(default=dict, verbose_name="seller")),
                ("buyer", models.JSONField(default=dict, verbose_name="buyer")),
                ("issued_at", models.DateTimeField(verbose_name="issued")),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchase_receipts",
                        to="accounts.organization",
                    ),
                ),
                (
                    "payment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipt",
                        to="billing.payment",
                    ),
                ),
            ],
            options={
                "verbose_name": "receipt",
                "verbose_name_plural": "receipts",
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "sequence"),
                        name="one_receipt_per_sequence",
                    ),
                    models.UniqueConstraint(
                        fields=("organization", "number"),
                        name="one_receipt_per_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            total_nanos=models.F("subtotal_nanos")
                            + models.F("tax_nanos")
                        ),
                        name="receipt_total_is_subtotal_and_tax",
                    ),
                ],
            },
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
        append_only("billing_purchasereceipt"),
    ]
