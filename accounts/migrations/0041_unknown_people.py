"""What an organization wants done about somebody unknown, its own mail domains, and the
line for usage that is nobody's (X2).
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0038_external_ids")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="own_domains",
            field=models.TextField(
                blank=True, db_default="", default="", verbose_name="own mail domains"
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="unknown_people",
            field=models.CharField(
                choices=[
                    ("refuse", "refused"),
                    ("create_without_seat", "added without a seat"),
                    ("create_on_standard", "added on a Standard seat"),
                    ("create_on_premium", "added on a Premium seat"),
                ],
                db_default="refuse",
                default="refuse",
                max_length=20,
                verbose_name="somebody unknown is",
            ),
        ),
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "unknown_people__in",
                        [
                            "refuse",
                            "create_without_seat",
                            "create_on_standard",
                            "create_on_premium",
                        ],
                    )
                ),
                name="organization_unknown_people_is_known",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="status",
            field=models.CharField(
                choices=[
                    ("active", "Active"),
                    ("removed", "Removed"),
                    ("nobody", "Unattributed"),
                ],
                default="active",
                max_length=10,
                verbose_name="status",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="membership", name="removed_membership_has_time_and_no_seat"
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("removed_at__isnull", True), ("status", "active")),
                    models.Q(
                        ("removed_at__isnull", False),
                        ("seat_tier__isnull", True),
                        ("status", "removed"),
                    ),
                    models.Q(
                        ("base_role", "member"),
                        ("removed_at__isnull", True),
                        ("seat_tier__isnull", True),
                        ("status", "nobody"),
                    ),
                    _connector="OR",
                ),
                name="removed_membership_has_time_and_no_seat",
            ),
        ),
    ]
