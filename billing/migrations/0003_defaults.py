"""The first rows: the price list's version and what seats include until an operator
enters the contract's amounts.
"""

from django.db import migrations

HOUR = 3600
USD = 1_000_000_000
# What a window includes, in whole USD at API rates: a session of 5 hours and a week of 7 days.
ALLOWANCES = {
    ("team", "standard"): (1, 8),
    ("team", "premium"): (6, 48),
    ("enterprise_seat", "standard"): (1, 8),
    ("enterprise_seat", "premium"): (6, 48),
}


def forwards(apps, schema_editor):
    SeatAllowance = apps.get_model("billing", "SeatAllowance")
    for (plan, tier), (session, week) in ALLOWANCES.items():
        for name, hours, amount in (("session", 5, session), ("week", 7 * 24, week)):
            SeatAllowance.objects.create(
                plan=plan,
                seat_tier=tier,
                name=name,
                length_seconds=hours * HOUR,
                amount_nanos=amount * USD,
            )
    apps.get_model("billing", "PriceList").objects.create(pk=1, version=1)


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_append_only")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
