"""The config app: commands, system checks and the demo."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Register the system checks, and what SQLite refuses."""
        from django.db.models.signals import post_migrate, pre_migrate

        from config import checks  # noqa: F401
        from config.kit.append_only import guard_on_sqlite, unguard_on_sqlite

        pre_migrate.connect(unguard_on_sqlite, dispatch_uid="unguard_on_sqlite")
        post_migrate.connect(guard_on_sqlite, dispatch_uid="guard_on_sqlite")
