"""What every page shows of notices: how many are new, once a page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.notices.forms import ChoicesForm
from billing.notices.queries.bell import COUNTED, unread_count
from billing.notices.queries.own_choices import memberships_of, own_choices
from billing.notices.words import percent_text

register = template.Library()
register.filter("percent", percent_text)


@register.simple_tag(takes_context=True)
def bell(context: Context) -> dict[str, Any]:
    """The number at the bell, and its name in words."""
    request = context["request"]
    told = getattr(request, "_bell", None)
    if told is None:
        told = request._bell = _bell_of(
            unread_count(request.membership, timezone.now())
        )
    return told


def _bell_of(count: int) -> dict[str, Any]:
    return {"count": count, "number": number_text(count), "name": bell_name(count)}


@register.filter("bell_number")
def number_text(count: int) -> str:
    """`9+` above nine."""
    return str(count) if count < COUNTED else f"{COUNTED - 1}+"


def bell_name(count: int) -> str:
    """What a screen reader says of the bell."""
    if not count:
        return _("Notices")
    return _("Notices, %(number)s new") % {"number": number_text(count)}


@register.inclusion_tag("billing/notices/_own_choices.html", takes_context=True)
def own_notice_choices(context: Context) -> dict[str, Any]:
    """How the reader is told of each kind, in each of their organizations."""
    memberships = memberships_of(context["request"].user.pk)
    kinds = own_choices(memberships)
    return {
        "forms": [
            (one, ChoicesForm(membership=one, kinds=kinds[one.pk]))
            for one in memberships
        ],
        "csrf_token": context.get("csrf_token"),
    }
