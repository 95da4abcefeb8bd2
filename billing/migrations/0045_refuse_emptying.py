"""PostgreSQL's TRUNCATE does not empty the books."""

from django.db import migrations

from config.kit.emptying import refuse_emptying


class Migration(migrations.Migration):
    dependencies = [("billing", "0032_number_gaps")]
    operations = [
        refuse_emptying(
            "billing_billingaccount",
            "billing_billingmonth",
            "billing_creditnote",
            "billing_invoice",
            "billing_invoiceline",
            "billing_ledgerentry",
            "billing_monthreopening",
            "billing_purchasereceipt",
            "billing_statement",
            "billing_statementline",
            "billing_usageadjustment",
            "billing_usageevent",
            "billing_usagepart",
        )
    ]
