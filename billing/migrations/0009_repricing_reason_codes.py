"""Why a price booked a difference is kept as a code, not as an English sentence.

The table only grows, so its trigger is lifted for this statement: on PostgreSQL here, on
SQLite before every `migrate`. Lines of issued invoices keep the sentence they were issued
with.
"""

from django.db import migrations

TABLE = "billing_usageadjustment"
# The first spelling of each code is today's; the others are those of earlier versions.
SENTENCES = {
    "repricing.model_priced": (
        "The model now has a price; until then, its cost was estimated at the fallback rate.",
        "The model has a price now; it was estimated at the fallback rate.",
    ),
    "repricing.price_corrected": (
        "The price used for this charge was corrected.",
        "The price it was charged at was corrected.",
    ),
}


def keep_codes(apps, schema_editor):
    """Sentences become codes; what an operator wrote stays."""
    with schema_editor.connection.cursor() as cursor:
        for code, sentences in SENTENCES.items():
            for sentence in sentences:
                _replace(cursor, sentence, code)


def keep_sentences(apps, schema_editor):
    """Codes become the sentences that the version before writes itself."""
    with schema_editor.connection.cursor() as cursor:
        for code, sentences in SENTENCES.items():
            _replace(cursor, code, sentences[0])


def _replace(cursor, old, new):
    cursor.execute(
        f"UPDATE {TABLE} SET reason = %s WHERE reason = %s AND source = 'price'",
        [new, old],
    )


def lifted(step):
    """The step with the trigger off; the migration's transaction puts it back also when
    the step fails.
    """

    def run(apps, schema_editor):
        if schema_editor.connection.vendor != "postgresql":
            step(apps, schema_editor)
            return
        trigger = f"TRIGGER {TABLE}_append_only"
        with schema_editor.connection.cursor() as cursor:
            # A table is not altered while checks of its foreign keys wait for the commit.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {TABLE} DISABLE {trigger}")
            step(apps, schema_editor)
            cursor.execute(f"ALTER TABLE {TABLE} ENABLE {trigger}")

    return run


class Migration(migrations.Migration):
    dependencies = [("billing", "0008_months_guards")]
    operations = [
        migrations.RunPython(lifted(keep_codes), lifted(keep_sentences)),
    ]
