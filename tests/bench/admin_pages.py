"""How long operators' lists, searches and pages take at 3 million events and 10,000
members; PostgreSQL.

`python -m tests.bench.admin_pages [--fill]` with DATABASE_URL naming a migrated database
for this alone prints seconds; `--fill` writes the rows first (minutes).
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django

django.setup()

from django.contrib import admin  # noqa: E402
from django.db import DatabaseError, connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from django.urls import reverse  # noqa: E402

from accounts.models import User  # noqa: E402
from tests.bench.admin_rows import fill  # noqa: E402

# What an operator types: an address, an organization, the id of an event, nothing known.
SEARCHES = ("m777@big.example", "big", "event-2999999", "nothing-like-this")
LONGEST = "60s"
LIST = "{:32} {:>8} {:>8} {:>8} {:>8}  {}"


def seconds(client: Client, address: str) -> float:
    """To answer one page, the second time; infinite where it takes longer than LONGEST."""
    took = float("inf")
    for _turn in range(2):
        began = time.perf_counter()
        try:
            answer = client.get(address)
        except DatabaseError:
            return float("inf")
        assert answer.status_code == 200 or "?p=" in address, address
        took = time.perf_counter() - began
    return took


def measure(client: Client, model: type) -> None:
    """Print a line about one table."""
    label = f"{model._meta.app_label}.{model._meta.model_name}"
    base = "admin:" + label.replace(".", "_")
    address = reverse(f"{base}_changelist")
    first = seconds(client, address)
    last = seconds(client, f"{address}?p=100")
    found = {q: seconds(client, f"{address}?q={q}") for q in SEARCHES}
    slowest = max(found, key=lambda q: found[q])
    row = model._base_manager.order_by("pk").first()
    one = seconds(client, reverse(f"{base}_change", args=[row.pk])) if row else 0
    figures = [f"{took:.2f}" for took in (first, last, found[slowest], one)]
    print(LIST.format(label, *figures, slowest), flush=True)


def main() -> None:
    """Fill if asked to, then measure every table of the admin."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("only", nargs="*")
    options = parser.parse_args()
    if options.fill:
        fill()
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = '{LONGEST}'")
    operator, _is_new = User.objects.get_or_create(
        email="operator@bench.example",
        defaults={"name": "Operator", "is_staff": True, "is_superuser": True},
    )
    setup_test_environment()
    client = Client()
    client.force_login(operator)
    print(LIST.format("seconds", "list", "page 100", "search", "row", "slowest search"))
    for model in admin.site._registry:
        if not options.only or model._meta.model_name in options.only:
            measure(client, model)


if __name__ == "__main__":
    main()
