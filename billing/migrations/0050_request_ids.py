"""Events are found by what the provider calls their request (X4). On PostgreSQL the index
is made beside the calls in progress: few rows are in it, but all are looked at.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

NAME = "events_by_request_id"


class AddIndexBeside(AddIndexConcurrently):
    """Concurrently where that is known; after a run that was cut off, anew."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            migrations.AddIndex.database_forwards(
                self, app_label, schema_editor, from_state, to_state
            )
            return
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        migrations.AddIndex.database_backwards(
            self, app_label, schema_editor, from_state, to_state
        )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("billing", "0049_sources")]
    operations = [
        AddIndexBeside(
            model_name="usageevent",
            index=models.Index(
                condition=models.Q(("request_id", ""), _negated=True),
                fields=["organization", "request_id", "occurred_at"],
                name=NAME,
            ),
        ),
    ]
