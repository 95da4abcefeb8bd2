"""Choosing the members who have extra usage: a search with a tick list that keeps ticks
while one searches on.

The browser carries only what was changed (`add`, `remove`), never all ticks, so it
works at any size. Owners only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Organization, Role
from billing.caps.actions.switch import change_selection
from billing.caps.queries.selection import candidates, selected_ids
from billing.reports.filters import words_of
from billing.reports.queries.members import PAGE_SIZE
from config.kit.fields import refusals_on
from config.kit.htmx import render_modal
from config.kit.http import get_or_post
from config.kit.ids import is_row_id

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

    def take(self, ticked: set[int], *, among: set[int]) -> None:
        """Of the people `among`, those `ticked` shall be selected and the others not."""
        self.add = (self.add - among) | (ticked - self.stored)
        self.remove = (self.remove - among) | ((among - ticked) & self.stored)


@member_page(Role.OWNER)
@get_or_post
def selected_members(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Search, tick, save. Every press but Save shows the list again with the ticks so far."""
    draft = _draft(request.POST, membership.organization)
    action = request.POST.get("action")
    if action == "save":
        return _save(request, membership, draft)
    if action is not None and request.htmx:
        context = selection_context(request, membership, draft)
        return render(request, "billing/caps/_selection_list.html", context)
    return selection_modal(request, membership, draft)


def _draft(posted: QueryDict, organization: Organization) -> SelectionDraft:
    draft = SelectionDraft(
        selected_ids(organization),
        _ids(posted.get("add", "")),
        _ids(posted.get("remove", "")),
    )
    listed = _ids(posted.get("shown", ""))
    draft.take(_ids(",".join(posted.getlist("member"))) & listed, among=listed)
    if posted.get("action") in ("all", "none"):
        people = candidates(organization, words=words_of(posted.get("q", "")))
        matching = set(people.values_list("pk", flat=True))
        draft.take(matching if posted["action"] == "all" else set(), among=matching)
    return draft


def _ids(text: str) -> set[int]:
    parts = text.split(",")[:MOST_IDS]
    return {int(part) for part in parts if is_row_id(part)}


def _save(
    request: MemberRequest, membership: Membership, draft: SelectionDraft
) -> HttpResponse:
    form = forms.Form(request.POST)
    with refusals_on(form):
        change_selection(
            membership.organization,
            add=draft.add,
            remove=draft.remove,
            actor=Actor.person(request.user),
            now=timezone.now(),
        )
        number = len(selected_ids(membership.organization))
        sentence = ngettext(
            "Extra usage is now for %(count)d selected member.",
            "Extra usage is now for %(count)d selected members.",
            number,
        )
        messages.success(request, sentence % {"count": number})
        return redirect("usage_settings", slug=membership.organization.slug)
    return selection_modal(request, membership, draft, context={"form": form})


def selection_modal(
    request: MemberRequest,
    membership: Membership,
    draft: SelectionDraft | None = None,
    *,
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """The dialog for HTMX, else the page; `context` goes on top of its own."""
    shared = selection_context(request, membership, draft) | {
        "form_id": "selection",
        "modal_url": reverse("selected_members", args=[membership.organization.slug]),
        "subtitle": _(
            "Only they can continue when their included usage runs out; everyone else "
            "waits for their reset."
        ),
    }
    return render_modal(
        request,
        "billing/caps/selection.html",
        shared | (context or {}),
        title=_("Selected members"),
        name="selection",
    )


def selection_context(
    request: MemberRequest, membership: Membership, draft: SelectionDraft | None
) -> dict[str, Any]:
    """What the dialog shows: one page of people with their ticks, and what was changed
    so far.
    """
    organization = membership.organization
    draft = draft or SelectionDraft(selected_ids(organization))
    only = draft.ticked if request.POST.get("show") == "ticked" else None
    query = " ".join(words_of(request.POST.get("q", "")))
    people = candidates(organization, words=query.split(), only=only)
    page = Paginator(people, PAGE_SIZE).get_page(request.POST.get("page"))
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
    }


def _text(ids: set[int]) -> str:
    return ",".join(str(number) for number in sorted(ids))
