"""On PostgreSQL, stories are told as the role that serves in production, whose rights are
those that `manage.py runtime_role_sql` grants: whatever the product does, it may.
"""

from __future__ import annotations

import pytest
from django.db import connection

from tests.runtime_role import serve_as_runtime_role


@pytest.fixture(autouse=True)
def _as_the_runtime_role(request: pytest.FixtureRequest, db: None):
    mark = request.node.get_closest_marker("django_db")
    is_kept = bool(mark and mark.kwargs.get("transaction"))
    if connection.vendor == "postgresql" and not is_kept:
        serve_as_runtime_role()
