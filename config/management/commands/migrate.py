"""`manage.py migrate`: Django's own, one at a time (`config.migrating`)."""

from config.migrating import MigrateAlone


class Command(MigrateAlone):
    pass
