"""A person has one address, that of their own row. The library's rows beside it are kept
where they say the same and were proven, by a mail of the library or by an invitation.
"""

from django.db import migrations
from django.db.models import Exists, OuterRef


def forwards(apps, schema_editor):
    """Rows of other addresses opened the account; unproven ones said nothing."""
    address = apps.get_model("account", "EmailAddress")
    person = apps.get_model("accounts", "User")
    invitation = apps.get_model("accounts", "Invitation")
    own = Exists(person.objects.filter(pk=OuterRef("user_id"), email=OuterRef("email")))
    address.objects.exclude(own).delete()
    accepted = invitation.objects.filter(
        email=OuterRef("email"), accepted_at__isnull=False
    )
    # No address is taken twice: people's are unique, and only theirs are left.
    address.objects.filter(Exists(accepted)).update(verified=True)
    address.objects.filter(verified=False).delete()
    address.objects.filter(primary=False).update(primary=True)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_identity"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
