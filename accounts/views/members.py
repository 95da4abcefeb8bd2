"""Settings › Members: people, roles, seats, invitations. Admins read, owners edit."""

from __future__ import annotations

from collections.abc import Callable
from smtplib import SMTPException
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import member_page
from accounts.actions.audit import Actor
from accounts.actions.invitations import invite, revoke_invitation
from accounts.actions.members import bring_back, edit_member, remove_member
from accounts.actions.organizations import hand_over_primary_owner
from accounts.forms import InvitationForm, MemberForm, ReturnForm, add_business_error
from accounts.mails import send_invitation
from accounts.models import Invitation, Membership, Role
from accounts.queries import invitations, members, seat_counts
from config.kit.errors import BusinessError
from config.kit.htmx import render_modal, saved

modal = require_http_methods(["GET", "HEAD", "POST"])


@member_page(Role.ADMIN)
@require_safe
def members_page(request: HttpRequest, membership: Membership) -> HttpResponse:
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
        "invitations": invitations(organization, now=now),
        "now": now,
        "status": status,
        "q": search,
    }
    template = (
        "accounts/_members_list.html"
        if getattr(request, "htmx", False)
        else "accounts/members.html"
    )
    return render(request, template, context)


def _one(membership: Membership, membership_id: int) -> Membership:
    return get_object_or_404(
        Membership.objects.select_related("user", "organization"),
        organization=membership.organization,
        pk=membership_id,
    )


def _form_modal(
    request: HttpRequest,
    membership: Membership,
    form: forms.Form,
    act: Callable[[dict[str, Any]], str | None],
    **words: Any,
) -> HttpResponse:
    """Show a form in a modal, or do what it asks for and say so; `act` returns the
    sentence of the toast.
    """
    slug = membership.organization.slug
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                sentence = act(form.cleaned_data)
            except BusinessError as error:
                add_business_error(form, error)
            else:
                if sentence:
                    messages.success(request, sentence)
                return saved(
                    request, "membersChanged", then=reverse("members", args=[slug])
                )
    context = {"form": form, "back": reverse("members", args=[slug]), **words}
    return render_modal(request, "accounts/_form_modal.html", context, status=status)


@member_page(Role.OWNER)
@modal
def member_invite(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Invite somebody by mail."""

    def act(typed: dict[str, Any]) -> str | None:
        invitation, token = invite(
            membership.organization, by=membership, now=timezone.now(), **typed
        )
        return _mailed(request, invitation, token)

    return _form_modal(
        request,
        membership,
        InvitationForm(request.POST or None),
        act,
        modal_title=_("Invite a person"),
        subtitle=membership.organization.name,
        button=_("Send invitation"),
    )


def _mailed(request: HttpRequest, invitation: Invitation, token: str) -> str | None:
    """Send the link; when the mail server refuses, the invitation stays and can be sent
    again.
    """
    link = request.build_absolute_uri(reverse("invitation", args=[token]))
    try:
        send_invitation(invitation, link=link, language=request.user.language)  # type: ignore[union-attr]
    except (SMTPException, OSError):
        messages.error(
            request,
            _("The e-mail to %(email)s couldn't be sent. Try again later.")
            % {"email": invitation.email},
        )
        return None
    return _("Invitation sent to %(email)s.") % {"email": invitation.email}


@member_page(Role.OWNER)
@modal
def invitation_resend(
    request: HttpRequest, membership: Membership, invitation_id: int
) -> HttpResponse:
    """Send a new link; the old one stops working."""
    old = get_object_or_404(
        Invitation,
        organization=membership.organization,
        pk=invitation_id,
        accepted_at=None,
    )

    def act(typed: dict[str, Any]) -> str | None:
        invitation, token = invite(
            membership.organization,
            email=old.email,
            role=old.base_role,
            seat_tier=old.seat_tier,
            by=membership,
            now=timezone.now(),
        )
        return _mailed(request, invitation, token)

    return _form_modal(
        request,
        membership,
        forms.Form(request.POST or None) if request.method == "POST" else forms.Form(),
        act,
        modal_title=_("Resend the invitation"),
        subtitle=old.email,
        sentence=_("We'll send a new link; the previous one will stop working."),
        button=_("Resend"),
    )


@member_page(Role.OWNER)
@modal
def invitation_revoke(
    request: HttpRequest, membership: Membership, invitation_id: int
) -> HttpResponse:
    """Withdraw an invitation."""
    found = get_object_or_404(
        Invitation, organization=membership.organization, pk=invitation_id
    )

    def act(typed: dict[str, Any]) -> str:
        revoke_invitation(found, by=membership, now=timezone.now())
        return _("The invitation for %(email)s has been withdrawn.") % {
            "email": found.email
        }

    return _form_modal(
        request,
        membership,
        forms.Form(request.POST) if request.method == "POST" else forms.Form(),
        act,
        modal_title=_("Withdraw the invitation"),
        subtitle=found.email,
        sentence=_("Its link will stop working."),
        button=_("Withdraw"),
        danger=True,
    )


@member_page(Role.OWNER)
@modal
def member_edit(
    request: HttpRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """Change role and seat."""
    member = _one(membership, membership_id)

    def act(typed: dict[str, Any]) -> str:
        edit_member(
            member,
            seat_tier=typed["seat_tier"],
            role=typed.get("role"),
            by=membership,
            now=timezone.now(),
        )
        return _("%(name)s has been updated.") % {"name": member.user}

    return _form_modal(
        request,
        membership,
        MemberForm(request.POST or None, member=member),
        act,
        modal_title=_("Role and seat"),
        subtitle=str(member.user),
        button=_("Save"),
    )


@member_page(Role.OWNER)
@modal
def member_remove(
    request: HttpRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """Take somebody out of the organization."""
    member = _one(membership, membership_id)

    def act(typed: dict[str, Any]) -> str:
        remove_member(member, by=membership, now=timezone.now())
        return _("%(name)s has been removed.") % {"name": member.user}

    return _form_modal(
        request,
        membership,
        forms.Form(request.POST) if request.method == "POST" else forms.Form(),
        act,
        modal_title=_("Remove from the organization"),
        subtitle=str(member.user),
        sentence=_(
            "Their next request will be refused, and their seat becomes free. Their "
            "past usage stays in every report."
        ),
        button=_("Remove"),
        danger=True,
    )


@member_page(Role.OWNER)
@modal
def member_return(
    request: HttpRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """Bring somebody back who was removed."""
    member = _one(membership, membership_id)

    def act(typed: dict[str, Any]) -> str:
        bring_back(
            member, seat_tier=typed["seat_tier"], by=membership, now=timezone.now()
        )
        return _("%(name)s is back.") % {"name": member.user}

    return _form_modal(
        request,
        membership,
        (
            ReturnForm(request.POST or None)
            if request.method != "POST"
            else ReturnForm(request.POST)
        ),
        act,
        modal_title=_("Bring back"),
        subtitle=str(member.user),
        button=_("Bring back"),
    )


@member_page(Role.PRIMARY_OWNER)
@modal
def member_hand_over(
    request: HttpRequest, membership: Membership, membership_id: int
) -> HttpResponse:
    """Make somebody else the primary owner."""
    member = _one(membership, membership_id)

    def act(typed: dict[str, Any]) -> str:
        hand_over_primary_owner(
            membership.organization,
            membership=member,
            actor=Actor.person(membership.user),
            now=timezone.now(),
        )
        return _("%(name)s is now the primary owner.") % {"name": member.user}

    return _form_modal(
        request,
        membership,
        forms.Form(request.POST) if request.method == "POST" else forms.Form(),
        act,
        modal_title=_("Hand over primary ownership"),
        subtitle=str(member.user),
        sentence=_(
            "From then on, only they can make owners and hand this role over again. "
            "You stay an owner."
        ),
        button=_("Hand over"),
        danger=True,
    )
