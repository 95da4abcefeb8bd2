"""Settings, entry points and commands: everything above the apps."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
