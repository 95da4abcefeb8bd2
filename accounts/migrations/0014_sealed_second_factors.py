"""Two-factor secrets that were kept as they are become sealed; and back, for whoever
goes back.

What is sealed already stays so; what no secret opens stays as it is.
"""

from django.db import migrations

from accounts.sealing import changed, opened_if_sealed, sealed_once


def _change(apps, change):
    for authenticator in apps.get_model("mfa", "Authenticator").objects.iterator():
        authenticator.data = changed(authenticator.data, change)
        authenticator.save(update_fields=["data"])


def forwards(apps, schema_editor):
    _change(apps, sealed_once)


def backwards(apps, schema_editor):
    _change(apps, opened_if_sealed)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_two_factor"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]
    operations = [migrations.RunPython(forwards, backwards)]
