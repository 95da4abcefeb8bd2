"""The search of an organization's pages: people, acts and pages, three of each, the best
first. Opened over a page by `Ctrl K`; its address by itself is a page with a form.

Members find what they may open, admins people too. An act opens its dialog. Read-only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, Value, When
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership, Role
from accounts.palette import goals_for, rank_of
from billing.caps.queries.selection import candidates
from billing.caps.words.status import cap_note_text
from billing.reports.filters import words_of
from billing.reports.queries.members import MemberFilter, MemberRow, member_rows
from billing.reports.reader import Reader
from config.kit.money import format_usd

EACH = 3
FIRST_PAGES = 5  # where nothing is asked for and nothing was opened before
PEOPLE, ACTS, PAGES = "people", "acts", "pages"


@dataclass(frozen=True, slots=True)
class Hit:
    """One line: `hint` stands behind the name, `amount` at the right. An act opens a
    dialog. The smaller `rank`, the better it answers.
    """

    label: str
    hint: str
    icon: str
    url: str
    rank: int
    amount: str = ""
    is_act: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind, the best first."""

    name: str
    label: str
    hits: list[Hit]


@member_page()
@require_safe
def palette(request: MemberRequest, membership: Membership) -> HttpResponse:
    """What `?q=` finds, by itself for HTMX, else as a page with the field."""
    asked = request.GET.get("q", "")
    words = words_of(asked)
    context = {
        "organization": membership.organization,
        "q": " ".join(words),
        "groups": groups_for(Reader(membership, timezone.now()), words),
        "finds_people": membership.is_at_least(Role.ADMIN),
        "in_dialog": bool(request.htmx),
    }
    name = "_palette_hits.html" if request.htmx else "palette.html"
    return render(request, f"billing/pages/{name}", context)


def groups_for(reader: Reader, words: Sequence[str]) -> list[Group]:
    """People, acts and pages that have every word; the kind with the best hit first.
    Without words a few pages alone.
    """
    if not words:
        pages = _goals(reader.membership, words, is_act=False)[:FIRST_PAGES]
        return [Group(PAGES, _("Pages"), pages)]
    rows = _people(reader, words)
    acts = _goals(reader.membership, words, is_act=True) + _limits(reader, rows, words)
    groups = [
        Group(
            PEOPLE,
            pgettext("place", "People"),
            [_person(reader, row, words) for row in rows],
        ),
        Group(ACTS, _("Acts"), _best(acts)),
        Group(PAGES, _("Pages"), _best(_goals(reader.membership, words, is_act=False))),
    ]
    some = [group for group in groups if group.hits]
    return sorted(some, key=lambda group: group.hits[0].rank)


def _best(hits: list[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: hit.rank)[:EACH]


def _goals(member: Membership, words: Sequence[str], *, is_act: bool) -> list[Hit]:
    slug = member.organization.slug
    hits = []
    for goal in goals_for(member):
        rank = rank_of(str(goal.label), words, more=f"{goal.hint} {goal.words}")
        if goal.is_act is is_act and rank is not None:
            hits.append(
                Hit(
                    str(goal.label),
                    str(goal.hint),
                    goal.icon,
                    goal.url(slug),
                    rank,
                    is_act=is_act,
                )
            )
    return hits


def _people(reader: Reader, words: Sequence[str]) -> list[MemberRow]:
    """The people whose names answer best, with their cap and spending; for admins."""
    if not reader.membership.is_at_least(Role.ADMIN):
        return []
    ids = _ids(reader, words)
    if not ids:
        # “edit limit for priya”: what of it names the act is not a name.
        phrase = _limit_label("").casefold().split()
        names = [
            word
            for word in words
            if not any(part.startswith(word.casefold()) for part in phrase)
        ]
        ids = _ids(reader, names) if names and len(names) < len(words) else []
    if not ids:
        return []
    rows = member_rows(reader.standing, MemberFilter(ids=tuple(ids)))
    return sorted(rows, key=lambda row: ids.index(row.id))


def _ids(reader: Reader, words: Sequence[str]) -> list[int]:
    text = " ".join(words)
    rank = Case(
        When(user__name__istartswith=text, then=Value(0)),
        When(user__name__icontains=f" {text}", then=Value(1)),
        When(user__name__icontains=text, then=Value(2)),
        default=Value(3),
    )
    found = candidates(reader.organization, words=words).select_related(None)
    ordered = found.order_by(rank, Lower("user__name"), "pk")
    return list(ordered.values_list("pk", flat=True)[:EACH])


def _person(reader: Reader, row: MemberRow, words: Sequence[str]) -> Hit:
    figures = {"spent": format_usd(row.spent_nanos), "cap": ""}
    if row.cap_nanos is not None:
        figures["cap"] = format_usd(row.cap_nanos)
    rank = rank_of(row.name, words)
    return Hit(
        row.name,
        row.seat_label or row.email,
        "users",
        person_url(reader.organization.slug, row),
        3 if rank is None else rank,
        amount=_("%(spent)s of %(cap)s") % figures
        if figures["cap"]
        else figures["spent"],
    )


def person_url(slug: str, row: MemberRow) -> str:
    """A person's own page; where there is none, their row of the table."""
    try:
        return reverse("member_page", args=[slug, row.id])
    except NoReverseMatch:
        query = urlencode({"q": row.email})
        return f"{reverse('usage_settings', args=[slug])}?{query}#people"


def _limit_label(name: str) -> str:
    return _("Edit limit for %(name)s") % {"name": name}


def _limits(reader: Reader, rows: list[MemberRow], words: Sequence[str]) -> list[Hit]:
    """Edit limit of each person found; for owners."""
    if not reader.can_edit:
        return []
    month, slug = reader.standing.month, reader.organization.slug
    hits = []
    for row in rows:
        label = _limit_label(row.name)
        ranks = (rank_of(row.name, words), rank_of(label, words, more=row.email))
        url = reverse("member_cap", args=[slug, row.id])
        hint = _cap_text(row, cap_note_text(row, month))
        rank = min((one for one in ranks if one is not None), default=3)
        hits.append(Hit(label, hint, "pencil", url, rank, is_act=True))
    return hits


def _cap_text(row: MemberRow, note: str) -> str:
    """“now $400.00, own cap”"""
    if row.cap_nanos is None:
        return _("now unlimited")
    cap = {"cap": format_usd(row.cap_nanos), "note": note}
    return _("now %(cap)s, %(note)s") % cap
