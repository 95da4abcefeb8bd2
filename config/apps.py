"""The config app: commands, system checks and the demo."""

from django.apps import AppConfig, apps


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Register the system checks, what `migrate` refuses and SQLite does, the first
        rows, the operators' groups, and what they are told.
        """
        from django.db.models.signals import post_migrate, pre_migrate

        from config import checks  # noqa: F401
        from config.first_rows import fill_when_empty
        from config.kit.append_only import guard_on_sqlite, unguard_on_sqlite
        from config.operations import heartbeats, measures, needs, panel  # noqa: F401
        from config.operators import write_groups
        from config.reversals import refuse_to_reverse

        # First: what is refused has changed nothing, SQLite's guards included.
        pre_migrate.connect(refuse_to_reverse, dispatch_uid="refuse_to_reverse")
        pre_migrate.connect(unguard_on_sqlite, dispatch_uid="unguard_on_sqlite")
        post_migrate.connect(guard_on_sqlite, dispatch_uid="guard_on_sqlite")
        post_migrate.connect(
            fill_when_empty,
            sender=apps.get_app_config("billing"),
            dispatch_uid="fill_when_empty",
        )
        # Apps are told in the order of INSTALLED_APPS: when it is the admin's turn, ours
        # have their permissions.
        post_migrate.connect(
            write_groups,
            sender=apps.get_app_config("admin"),
            dispatch_uid="write_operator_groups",
        )
