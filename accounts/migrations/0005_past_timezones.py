"""Every zone an organization ever had is kept, not the last one alone."""

from django.db import migrations, models


def forwards(apps, schema_editor):
    organizations = apps.get_model("accounts", "Organization").objects
    for one in organizations.exclude(previous_timezone="").exclude(timezone_since=None):
        past = [[one.timezone_since.isoformat(), one.previous_timezone]]
        organizations.filter(pk=one.pk).update(past_timezones=past)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_mail_addresses")]
    operations = [
        migrations.AddField(
            model_name="organization",
            name="past_timezones",
            field=models.JSONField(
                default=list, editable=False, verbose_name="past time zones"
            ),
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
        migrations.RemoveField(model_name="organization", name="previous_timezone"),
        migrations.RemoveField(model_name="organization", name="timezone_since"),
    ]
