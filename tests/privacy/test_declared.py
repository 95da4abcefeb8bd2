"""S17: every text column of every table is told to hold people or not, so that no new
one escapes erasing, exporting and the page on privacy.
"""

from __future__ import annotations

from django.apps import apps

from accounts.models import Membership, User
from config.kit.personal import personal_tables, texts_of
from tests.house.layers import ROOT

TOLD = {table.model.lower(): table for table in personal_tables()}
MODELS = [model for model in apps.get_models() if not model._meta.proxy]


def test_s17_every_text_column_is_told():
    untold = {
        model._meta.label: sorted(texts_of(model) ^ TOLD[model._meta.label_lower].told)
        if model._meta.label_lower in TOLD
        else sorted(texts_of(model)) or ["(nothing)"]
        for model in MODELS
        if texts_of(model) or model._meta.label_lower in TOLD
    }
    assert {label: columns for label, columns in untold.items() if columns} == {}


def test_s17_what_is_kept_says_by_which_right():
    assert [one.model for one in TOLD.values() if one.kept and not one.why] == []


def test_s17_columns_that_copy_names_can_be_replaced_where_rows_only_grow():
    """A guard that takes no pseudonym would stop every erasure."""
    for table in TOLD.values():
        model = table.table
        if not getattr(model, "append_only", False):
            continue
        taken = {c for one in getattr(model, "exemptions", ()) for c in one.columns}
        assert {*table.copies, *table.texts} <= taken, table.model


def test_s17_rows_about_a_member_are_exported_or_nobody_could_name_why():
    """Counters repeat what the events say; a window is one of them."""
    repeat = {
        "billing.SelectedMember",
        "billing.UsageDay",
        "billing.UsageMonth",
        "billing.IncludedWindow",
        "billing.PendingCharge",
    }
    silent = {
        model._meta.label
        for model in MODELS
        if any(
            field.related_model in (User, Membership)
            and field.name in ("user", "membership")
            for field in model._meta.concrete_fields
        )
        and not (TOLD.get(model._meta.label_lower) or TOLD["auth.group"]).exported
    }
    assert silent == repeat | {"accounts.Erasure", "admin.LogEntry"}


def test_s17_the_page_on_privacy_names_every_table_about_people():
    page = (ROOT / "docs" / "privacy.md").read_text()
    missing = [
        table.model
        for table in TOLD.values()
        if (table.person or table.kept or table.copies or table.texts)
        and f"`{table.model}`" not in page
    ]
    assert missing == []
