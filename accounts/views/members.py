"""Settings › Members: people, roles, seats, invitations. Admins read, owners edit."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.actions.invitation_mails import invite_by_mail
from accounts.actions.invitations import revoke_invitation
from accounts.actions.members import bring_back, edit_member, remove_member
from accounts.actions.organizations import hand_over_primary_owner
from accounts.actions.undoing import changes_made
from accounts.forms import InvitationForm, MemberForm, RemovalForm, ReturnForm
from accounts.inviting import beyond_seats, seats_to_invite_for
from accounts.models import Invitation, Membership, Role
from accounts.queries import (
    invitations,
    keys_made_by,
    members,
    removed_member,
    seat_counts,
)
from accounts.returning import what_holds_again
from accounts.tasks import send_soon
from accounts.undoing import say_with_undo
from config.kit.fields import refusals_on
from config.kit.htmx import render_modal, saved
from config.kit.http import get_or_post, posted


@member_page(Role.ADMIN)
@require_safe
def members_page(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Everybody, by role and name, with the seats and open invitations."""
    organization, now = membership.organization, timezone.now()
    status = "removed" if request.GET.get("status") == "removed" else "active"
    search = request.GET.get("q", "").replace("\0", "")[:100]
    context = {
        "organization": organization,
        "can_edit": membership.is_at_least(Role.OWNER),
        "is_primary": membership.role is Role.PRIMARY_OWNER,
        "seats": seat_counts(organization),
        "page": members(
            organization, search=search, status=status, page=request.GET.get("page")
        ),
        "invitations": invitations(organization, page=request.GET.get("invitations")),
        "now": now,
        "status": status,
        "q": search,
        "is_part": bool(request.htmx),
    }
    template = (
        "accounts/_members_list.html" if request.htmx else "accounts/members.html"
    )
    return render(request, template, context)


def _member(membership: Membership, membership_id: int) -> Membership:
    return get_object_or_404(
        Membership.objects.select_related("user", "organization"),
        organization=membership.organization,
        pk=membership_id,
    )


def _form_modal(
    request: MemberRequest, membership: Membership, form: forms.Form, **texts: Any
) -> HttpResponse:
    """A form about one person in a modal, until it is accepted."""
    context = {
        "form": form,
        "organization": membership.organization,
        "back": "members",
        "browser_checks": True,
        **texts,
    }
    return render_modal(request, "accounts/form.html", context)


def _done(
    request: MemberRequest,
    membership: Membership,
    sentence: str = "",
    undo: tuple[Membership, dt.datetime] | None = None,
) -> HttpResponse:
    """Close the modal and say what is true now; `undo` is whom it changed, and when."""
    if sentence:
        made = changes_made(undo[0], by=membership, at=undo[1]) if undo else []
        say_with_undo(
            request, sentence, organization=membership.organization, entries=made
        )
    back = reverse("members", args=[membership.organization.slug])
    return saved(request, "membersChanged", then=back)


@member_page(Role.OWNER)
@get_or_post
def member_invite(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Invite somebody by mail; `?email=` fills in whom."""
    asked = {"email": request.GET["email"][:254]} if "email" in request.GET else {}
    form = InvitationForm(posted(request), initial=asked)
    if form.is_valid():
        with refusals_on(form):
            sentence = _invited(request, membership, **form.cleaned_data)
            return _done(request, membership, sentence)
    form.fields["seat_tier"].help_text = seats_to_invite_for(
        membership.organization, now=timezone.now()
    )
    return _form_modal(
        request,
        membership,
        form,
        title=_("Invite a person"),
        subtitle=membership.organization.name,
        button=_("Send invitation"),
    )


def _invited(request: MemberRequest, membership: Membership, **who: Any) -> str:
    """Invite, have the link mailed, and the sentence that says so. Raises what `invite`
    raises.
    """
    invitation, mails = invite_by_mail(
        membership.organization,
        language=request.user.language,
        by=membership,
        now=timezone.now(),
        **who,
    )
    send_soon(mails)
    sentence = _("Invitation sent to %(email)s.") % {"email": invitation.email}
    beyond = beyond_seats(
        invitation.organization, tier=invitation.seat_tier, now=timezone.now()
    )
    sentence = f"{sentence} {beyond}".strip()
    return _and_what_holds(sentence, _returning(invitation))


def _returning(invitation: Invitation) -> Membership | None:
    """Whom an invitation would bring back; they join on their own, so it is said now."""
    return removed_member(invitation.organization, email=invitation.email)


def _and_what_holds(sentence: str, member: Membership | None) -> str:
    """The sentence, and what of before holds again for somebody who comes back."""
    if member is None:
        return sentence
    return f"{sentence} {what_holds_again(member, now=timezone.now())}".strip()


@member_page(Role.OWNER)
@get_or_post
def invitation_resend(
    request: MemberRequest, membership: Membership, invitation_id: int
) -> HttpResponse:
    """Send a new link; the old one stops working."""
    old = get_object_or_404(
        Invitation,
        organization=membership.organization,
        pk=invitation_id,
        accepted_at=None,
    )
    form = forms.Form(posted(request))
    if form.is_valid():
        with refusals_on(form):
            who = {"email": old.email, "role": old.base_role}
            sentence = _invited(request, membership, seat_tier=old.seat_tier, **who)
            return _done(request, membership, sentence)
    return _form_modal(
        request,
        membership,
        form,
        title=_("Resend the invitation"),
        subtitle=old.email,
        sentence=_("We'll send a new link; the previous one will stop working."),
        button=_("Resend"),
    )


@member_page(Role.OWNER)
@get_or_post
def invitation_revoke(
    request: MemberRequest, membership: Membership, invitation_id: int
) -> HttpResponse:
    """Withdraw an invitation."""
    invitation = get_object_or_404(
        Invitation, organization=membership.organization, pk=invitation_id
    )
    form = forms.Form(posted(request))
    if form.is_valid():
        with refusals_on(form):
            revoke_invitation(invitation, by=membership, now=timezone.now())
            sentence = _("The invitation for %(email)s has been withdrawn.")
            return _done(request, membership, sentence % {"email": invitation.email})
    return _form_modal(
        request,
        membership,
        form,
        title=_("Withdraw the invitation"),
        subtitle=invitation.email,
        sentence=_("Its link will stop working."),
        button=_("Withdraw"),
        is_danger=True,
    )


@member_page(Role.OWNER)
@get_or_post
def member_edit(
    request: MemberRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """Change role and seat."""
    member = _member(membership, membership_id)
    form = MemberForm(
        posted(request), member=member, keys=keys_made_by(member, now=timezone.now())
    )
    if form.is_valid():
        with refusals_on(form):
            now = timezone.now()
            edit_member(
                member,
                seat_tier=form.cleaned_data["seat_tier"],
                role=form.cleaned_data.get("role"),
                by=membership,
                now=now,
                keys=form.cleaned_data.get("keys", ()),
            )
            sentence = _("%(name)s has been updated.") % {"name": member.user}
            return _done(request, membership, sentence, undo=(member, now))
    return _form_modal(
        request,
        membership,
        form,
        title=_("Role and seat"),
        subtitle=str(member.user),
        button=_("Save"),
    )


@member_page(Role.OWNER)
@get_or_post
def member_remove(
    request: MemberRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """Take somebody out of the organization."""
    member = _member(membership, membership_id)
    form = RemovalForm(posted(request), keys=keys_made_by(member, now=timezone.now()))
    if form.is_valid():
        keys = form.cleaned_data.get("keys", ())
        with refusals_on(form):
            now = timezone.now()
            remove_member(member, by=membership, now=now, keys=keys)
            sentence = _("%(name)s has been removed.") % {"name": member.user}
            return _done(request, membership, sentence, undo=(member, now))
    return _form_modal(
        request,
        membership,
        form,
        title=_("Remove from the organization"),
        subtitle=str(member.user),
        sentence=_(
            "Their next request will be refused, and their seat becomes free. Their "
            "past usage stays in every report. Their own spend cap, if they have one, "
            "is kept for the case that they return. Open invitations they sent are "
            "withdrawn."
        ),
        button=_("Remove"),
        is_danger=True,
    )


@member_page(Role.OWNER)
@get_or_post
def member_return(
    request: MemberRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """Bring somebody back who was removed."""
    member = _member(membership, membership_id)
    form = ReturnForm(posted(request))
    if form.is_valid():
        seat_tier = form.cleaned_data["seat_tier"]
        with refusals_on(form):
            bring_back(member, seat_tier=seat_tier, by=membership, now=timezone.now())
            sentence = _("%(name)s is back.") % {"name": member.user}
            return _done(request, membership, _and_what_holds(sentence, member))
    return _form_modal(
        request,
        membership,
        form,
        title=_("Bring back"),
        subtitle=str(member.user),
        sentence=what_holds_again(member, now=timezone.now()),
        button=_("Bring back"),
    )


@member_page(Role.PRIMARY_OWNER)
@get_or_post
def member_hand_over(
    request: MemberRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """Make somebody else the primary owner."""
    member = _member(membership, membership_id)
    form = forms.Form(posted(request))
    if form.is_valid():
        with refusals_on(form):
            hand_over_primary_owner(
                membership.organization,
                membership=member,
                actor=Actor.person(membership.user),
                now=timezone.now(),
            )
            sentence = _("%(name)s is now the primary owner.") % {"name": member.user}
            return _done(request, membership, sentence)
    return _form_modal(
        request,
        membership,
        form,
        title=_("Hand over primary ownership"),
        subtitle=str(member.user),
        sentence=_(
            "From then on, only they can make owners and hand this role over again. "
            "You stay an owner."
        ),
        button=_("Hand over"),
        is_danger=True,
    )
