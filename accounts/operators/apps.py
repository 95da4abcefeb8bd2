"""The admin app with our site instead of Django's own."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class OperatorsConfig(AdminConfig):
    default_site = "accounts.operators.site.OperatorsSite"
