"""What needs somebody of usage: models nobody has a price for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from difflib import get_close_matches

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.operators.needs import MOST_OF_A_KIND, Act, Need, register_needs
from billing.metering.queries.unknown import UnknownModelRow, unknown_models
from billing.prices.admin.name_steps import priced_models
from billing.prices.queries import read_price_book
from config.kit.money import format_usd

PROPOSED = 5
RESEMBLES = 6  # tenths: how alike two names must be to be proposed


def models_unknown(now: dt.datetime) -> Iterator[Need]:
    """Each with the models it resembles, the likest first; Preview says what a choice
    would book.
    """
    rows = unknown_models(read_price_book())[:MOST_OF_A_KIND]
    paths = priced_models() if rows else []
    for row in rows:
        proposals = _proposals(row, paths)
        listed = reverse("admin:billing_unknownmodel_changelist")
        priced = reverse("admin:billing_modelprice_set")
        act = (
            Act(_("Show them"), listed, "billing.view_unknownmodel")
            if proposals
            else Act(_("Set a price"), priced, "billing.change_modelprice")
        )
        yield Need(
            _("Unknown model"),
            _facts(row),
            row.first_at,
            "alert-triangle",
            () if proposals else (act,),
            code=row.model,
            form="admin/billing/_same_as.html" if proposals else "",
            form_permission="billing.add_modelalias",
            extra={"name": row.model, "proposals": proposals},
        )


def _facts(row: UnknownModelRow) -> str:
    used = ngettext(
        "%(events)s event of %(customers)s",
        "%(events)s events of %(customers)s",
        row.events,
    ) % {
        "events": f"{row.events:,}",
        "customers": ngettext(
            "%(number)d customer", "%(number)d customers", row.organizations
        )
        % {"number": row.organizations},
    }
    charged = _("charged at the fallback rate: %(amount)s") % {
        "amount": format_usd(row.cost_nanos)
    }
    return f"{used}, {charged}"


def _proposals(row: UnknownModelRow, paths: list[str]) -> list[str]:
    """Models of the price list whose names are like it, those of its provider alone
    where it was told.
    """
    by_name: dict[str, str] = {}
    for path in paths:
        provider, _slash, model = path.partition("/")
        if row.provider in ("", provider):
            by_name.setdefault(model, path)
    names = get_close_matches(row.model, by_name, n=PROPOSED, cutoff=RESEMBLES / 10)
    return [by_name[name] for name in names]


register_needs(
    "unknown_models",
    models_unknown,
    label=gettext_lazy("Unknown models"),
    permission="billing.view_unknownmodel",
)
