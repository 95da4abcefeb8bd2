"""What seat a member held until when, told from the audit as far as it goes."""

from itertools import groupby

from django.db import migrations, models

SEAT_ACTIONS = ["member.seat", "member.remove", "member.return", "invitation.accept"]


def forwards(apps, schema_editor):
    """Fold each member's audit, oldest first, into what held until each change."""
    members = apps.get_model("accounts", "Membership").objects
    entries = (
        apps.get_model("accounts", "AuditEntry")
        .objects.filter(action__in=SEAT_ACTIONS, membership__isnull=False)
        .order_by("membership_id", "at", "pk")
        .values_list("membership_id", "action", "at", "from_value")
    )
    for membership_id, changes in groupby(entries.iterator(), lambda one: one[0]):
        past = past_seats(changes)
        if past:
            members.filter(pk=membership_id).update(
                past_seats=[[at.isoformat(), *seat] for at, *seat in past][-200:],
                seat_changed_at=past[-1][0],
            )


def past_seats(changes):
    """Until when which seat held, and whether for an active member."""
    past, is_active = [], True
    for _membership_id, action, at, before in changes:
        if action == "member.seat":
            past.append((at, before, True))
        elif action == "member.remove":
            seat = before.get("seat") if isinstance(before, dict) else None
            past.append((at, seat, True))
            is_active = False
        elif not is_active:  # brought back, or invited again
            past.append((at, None, False))
            is_active = True
    return past


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_past_timezones")]
    operations = [
        migrations.AddField(
            model_name="membership",
            name="past_seats",
            field=models.JSONField(
                default=list, editable=False, verbose_name="past seats"
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="seat_changed_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="seat changed"
            ),
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
