"""No page of the operators' asks the database more often for thirty rows of everything
than for three.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Organization
from tests.factories.people import make_user
from tests.operators.rows import TABLES, fill, take_more_lists


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


def pages() -> list[str]:
    """Every list, the first row of each, its CSV, the start page, a customer, a search."""
    found = [reverse("admin:index"), reverse("admin:index") + "?needs=all"]
    found += [reverse("admin:search") + "?q=walk", reverse("admin:all_tables")]
    customer = Organization.objects.get(slug="walk-0")
    found.append(reverse("admin:customer_look", args=[customer.pk]))
    for model in TABLES:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"admin:{name}_changelist"))
        if model._meta.model_name == "unknownmodel":
            continue
        found.append(
            reverse(
                "admin:csv_changelist",
                args=[model._meta.app_label, model._meta.model_name],
            )
        )
        first = model._default_manager.order_by("pk").values_list("pk", flat=True)[0]
        found.append(reverse(f"admin:{name}_change", args=[first]))
        found.append(reverse(f"admin:{name}_history", args=[first]))
    return found


def queries(operator: Client, address: str) -> list[str]:
    """What a page asks the database."""
    if "/csv/" in address:
        take_more_lists()
    with CaptureQueriesContext(connection) as seen:
        answer = operator.get(address)
        if answer.streaming:
            b"".join(answer.streaming_content)
    assert answer.status_code == 200, (address, answer.status_code)
    return [one["sql"] for one in seen]


def test_every_page_asks_as_much_for_thirty_rows_as_for_three(db, now):
    operator = Client()
    operator.force_login(
        make_user("op@example.com", "Olga", is_staff=True, is_superuser=True)
    )
    fill(range(3), now=now)
    empty = [one.__name__ for one in TABLES if one._default_manager.count() < 3]
    assert empty == []
    addresses = pages()
    for address in addresses:
        queries(operator, address)  # what is asked once a process
    few = {address: len(queries(operator, address)) for address in addresses}
    fill(range(3, 30), now=now)
    more = {}
    for address in addresses:
        asked = queries(operator, address)
        if len(asked) != few[address]:
            more[address] = (few[address], len(asked), most_asked(asked))
    assert not more, "\n".join(map(str, more.items()))


def most_asked(asked: list[str]) -> tuple[int, str]:
    """The beginning of a query that is asked most often, for whom the test fails."""
    kinds: dict[str, int] = {}
    for sql in asked:
        where = sql.partition(" FROM ")[2][:60]
        kinds[where] = kinds.get(where, 0) + 1
    kind = max(kinds, key=lambda one: kinds[one])
    return kinds[kind], kind
