"""Choosing the members who have extra usage: a search with a tick list that keeps ticks
while one searches on.

The browser carries only what was changed (`add`, `remove`), never all ticks, so it
works at any size. Owners only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.access import member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Organization, Role
from billing.caps.actions.switch import change_selection
from billing.caps.queries.selection import candidates, selected_ids
from billing.reports.filters import words_of
from billing.reports.queries.members import PAGE_SIZE
from config.kit.errors import BusinessError

MOST_IDS = 100_000


@dataclass(slots=True)
class SelectionDraft:
    """What the owner has changed so far, against the selection as it is stored."""

    stored: set[int]
    add: set[int] = field(default_factory=set)
    remove: set[int] = field(default_factory=set)

    @property
    def ticked(self) -> set[int]:
        """Everybody who would be selected."""
        return (self.stored | self.add) - self.remove

    def take(self, wanted: set[int], *, among: set[int]) -> None:
        """Of the people `among`, those `wanted` shall be selected and the others not."""
        self.add = (self.add - among) | (wanted - self.stored)
        self.remove = (self.remove - among) | ((among - wanted) & self.stored)


@member_page(Role.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def selected_members(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Search, tick, save. Every press but Save shows the list again with the ticks so far."""
    organization = membership.organization
    draft = _draft(request.POST, organization)
    if request.POST.get("action") == "save":
        return _save(request, membership, draft)
    return _show(request, membership, draft)


def _draft(posted: QueryDict, organization: Organization) -> SelectionDraft:
    draft = SelectionDraft(
        selected_ids(organization),
        _ids(posted.get("add", "")),
        _ids(posted.get("remove", "")),
    )
    shown = _ids(posted.get("shown", ""))
    draft.take(_ids(",".join(posted.getlist("member"))) & shown, among=shown)
    if posted.get("action") in ("all", "none"):
        found = set(
            candidates(organization, words=words_of(posted.get("q", ""))).values_list(
                "pk", flat=True
            )
        )
        draft.take(found if posted["action"] == "all" else set(), among=found)
    return draft


def _ids(text: str) -> set[int]:
    parts = text.split(",")[:MOST_IDS]
    return {
        int(part)
        for part in parts
        if part.isascii() and part.isdigit() and len(part) < 19
    }


def _save(
    request: HttpRequest, membership: Membership, draft: SelectionDraft
) -> HttpResponse:
    actor = Actor.person(request.user)  # type: ignore[arg-type]
    try:
        change_selection(
            membership.organization,
            add=draft.add,
            remove=draft.remove,
            actor=actor,
            now=timezone.now(),
        )
    except BusinessError as error:
        return _show(request, membership, draft, error=error.message, status=422)
    number = len(selected_ids(membership.organization))
    sentence = ngettext(
        "Extra usage is now for %(count)d selected member.",
        "Extra usage is now for %(count)d selected members.",
        number,
    )
    messages.success(request, sentence % {"count": number})
    return redirect("usage_settings", slug=membership.organization.slug)


def _show(
    request: HttpRequest,
    membership: Membership,
    draft: SelectionDraft,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    is_part = (
        getattr(request, "htmx", False)
        and request.POST.get("action") is not None
        and not error
    )
    template = (
        "billing/caps/_selection_list.html" if is_part else selection_template(request)
    )
    return render(
        request,
        template,
        selection_context(request, membership, draft) | {"error": error},
        status=status,
    )


def selection_template(request: HttpRequest) -> str:
    """The dialog for HTMX, else the page."""
    return (
        "billing/caps/_selection_modal.html"
        if getattr(request, "htmx", False)
        else "billing/caps/selection.html"
    )


def selection_context(
    request: HttpRequest, membership: Membership, draft: SelectionDraft | None = None
) -> dict[str, Any]:
    """What the dialog shows: one page of people with their ticks, and what was changed
    so far.
    """
    asked, organization = request.POST, membership.organization
    draft = draft or SelectionDraft(selected_ids(organization))
    only = draft.ticked if asked.get("show") == "ticked" else None
    query = " ".join(words_of(asked.get("q", "")))
    page = Paginator(
        candidates(organization, words=query.split(), only=only), PAGE_SIZE
    ).get_page(asked.get("page"))
    return {
        "organization": organization,
        "membership": membership,
        "draft": draft,
        "add": _text(draft.add - draft.stored),
        "remove": _text(draft.remove & draft.stored),
        "shown": _text({person.pk for person in page}),
        "q": query,
        "show": "ticked" if only is not None else "all",
        "page_of_people": page,
        "title": _("Selected members"),
    }


def _text(ids: set[int]) -> str:
    return ",".join(str(number) for number in sorted(ids))
