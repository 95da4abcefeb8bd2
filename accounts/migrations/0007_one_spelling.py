"""Addresses are kept in one spelling: of a domain in other letters, the one on the wire.

An address that somebody else has in that spelling already stays as it is.
"""

from django.db import migrations

import config.kit.addresses
from config.kit.addresses import canonical_address


def forwards(apps, schema_editor):
    """Only addresses with other letters can change."""
    _respell(apps.get_model("accounts", "User"), unique=True)
    _respell(apps.get_model("accounts", "Invitation"), unique=False)
    _respell(apps.get_model("account", "EmailAddress"), unique=True)


def _respell(model, *, unique):
    # Of the old state: what is asked of it is not respelled on the way.
    for pk, email in model.objects.values_list("pk", "email").iterator():
        kept = canonical_address(email)
        if kept == email or email.isascii():
            continue
        if unique and model.objects.filter(email=kept).exists():
            continue
        model.objects.filter(pk=pk).update(email=kept)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_past_seats"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    operations = [
        migrations.RunPython(forwards, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="user",
            name="email",
            field=config.kit.addresses.AddressField(
                max_length=254, unique=True, verbose_name="e-mail address"
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="email",
            field=config.kit.addresses.AddressField(
                max_length=254, verbose_name="e-mail address"
            ),
        ),
    ]
