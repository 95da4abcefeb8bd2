"""PostgreSQL's TRUNCATE does not empty what is kept."""

from django.db import migrations

from config.kit.emptying import refuse_emptying


class Migration(migrations.Migration):
    dependencies = [("accounts", "0020_job_runs")]
    operations = [
        refuse_emptying(
            "accounts_auditentry",
            "accounts_erasure",
            "accounts_retentionmark",
            "accounts_securityevent",
        )
    ]
