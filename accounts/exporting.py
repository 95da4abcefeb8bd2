"""All that is kept about one person, as a ZIP of JSON files, streamed: what apps declared
for it (`accounts.personal` and its like), and nothing of anybody else.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from accounts.models import User
from config.kit.personal import Personal, personal_tables
from config.kit.zips import zipped

CHUNK = 2_000
ABOUT = """What is kept about {email}, {at}.

One file a table, each a list in JSON. Moments are in UTC. Columns that end in _nanos are
USD, times one thousand million. Labels are what the gateway called its requests.
"""


def exported(person: User, *, now: dt.datetime) -> StreamingHttpResponse:
    """The archive as a file to save."""
    response = StreamingHttpResponse(
        archive_of(person, now=now), content_type="application/zip"
    )
    name = f"personal-data-{now:%Y-%m-%d}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def archive_of(person: User, *, now: dt.datetime) -> Iterator[bytes]:
    """The archive, piece by piece."""
    return zipped(_files(person, now=now))


def _files(person: User, *, now: dt.datetime) -> Iterator[tuple[str, Iterable[str]]]:
    at = f"{now:%Y-%m-%d %H:%M} UTC"
    yield "about.txt", [ABOUT.format(email=person.email, at=at)]
    for table in personal_tables():
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", table.table.__name__).lower()
        rows = _rows_about(table, person)
        if rows is not None:
            yield f"{name}.json", _listed(rows.values(*table.exported))
        if table.acted:
            done = table.table._base_manager.filter(actor=person).order_by("pk")
            yield f"{name}_by_you.json", _listed(done.values(*table.acted))


def _rows_about(table: Personal, person: User) -> QuerySet[Any, Any] | None:
    """None where nothing of the table is exported."""
    if not table.exported:
        return None
    is_theirs: dict[str, Any] = {table.person: person.pk}
    if table.by_address:
        is_theirs = {table.by_address: person.email}
    rows: QuerySet[Any, Any] = table.table._base_manager.filter(**is_theirs)
    return rows.filter(table.exported_if).order_by("pk")


def _listed(rows: QuerySet[Any, Any]) -> Iterator[str]:
    """A list in JSON, a row a line."""
    separator = "[\n"
    for row in rows.iterator(chunk_size=CHUNK):
        plain = {_key(column): value for column, value in row.items()}
        text = json.dumps(plain, cls=DjangoJSONEncoder, ensure_ascii=False)
        yield f"{separator}  {text}"
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _key(column: str) -> str:
    """`organization__name` is the organization."""
    return column.removesuffix("__name").replace("__", "_")
