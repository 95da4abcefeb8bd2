"""Who may do what (D3), in one place.

Each function returns what the page needs or raises.

Strangers get 404, so that an organization's existence shows to nobody else; members
without the right get 403 with a sentence that says what role it takes. Every view of
the product carries one of these marks; a test holds it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.looking import membership_looked_at
from accounts.models import Membership, Role, User
from accounts.second_factor import (
    lacks_as_member,
    lacks_as_operator,
    lead_to_set_up,
)
from config.kit.http import PageRequest
from config.kit.places import also_called

View = Callable[..., HttpResponseBase]
SAFE = ("GET", "HEAD", "OPTIONS")


class UserRequest(PageRequest):
    """What a page behind sign-in gets (`signed_in`)."""

    user: User
    # Whether an operator looks at the page as its owner, to read alone.
    looks: bool = False


class MemberRequest(UserRequest):
    """What a page of an organization gets (`member_page`): its reader's membership."""

    membership: Membership
    # Whether the answer says how many notices are new although nothing was read.
    tells_bell: bool = False


def membership_of(request: UserRequest, slug: str) -> Membership:
    """The signed-in person's active membership of the organization with `slug`; of an
    operator who looks at it as its owner, the owner's (`request.looks`). Http404 for
    strangers.
    """
    membership = (
        Membership.objects.active()
        .select_related("organization", "organization__primary_owner", "user")
        .filter(user=request.user, organization__slug=slug)
        .first()
    )
    if membership is None and not lacks_as_operator(request.user):
        membership = membership_looked_at(
            request.user, request.session, slug, now=timezone.now()
        )
        request.looks = membership is not None
    if membership is None:
        raise Http404
    also_called(slug, membership.organization_id)
    return membership


def require_role(membership: Membership, role: Role) -> None:
    """Raise PermissionDenied with a sentence unless the role reaches `role`."""
    if membership.is_at_least(role):
        return
    sentences = {
        Role.ADMIN: _(
            "This page is for admins and owners of %(organization)s. Your role is %(role)s."
        ),
        Role.OWNER: _("This is for owners of %(organization)s. Your role is %(role)s."),
        Role.PRIMARY_OWNER: _(
            "This is for the primary owner of %(organization)s. Your role is %(role)s."
        ),
    }
    raise PermissionDenied(
        sentences[role]
        % {"organization": membership.organization.name, "role": membership.role.label}
    )


def refuse_what_a_look_may_not(request: UserRequest, *, is_shown: bool) -> None:
    """Raise PermissionDenied with a sentence for an operator who looks as the owner: only
    pages that are shown to them, and only to read.
    """
    if request.method not in SAFE:
        raise PermissionDenied(
            _("You look as the owner, read-only: nothing can be changed here.")
        )
    if not is_shown:
        raise PermissionDenied(
            _("You look as the owner, read-only: this page is not shown to operators.")
        )


def member_page(
    role: Role = Role.MEMBER,
    *,
    write: Role | None = None,
    is_shown_to_operators: bool = False,
) -> Callable[[View], View]:
    """Mark a view `view(request, membership, …)` of `/o/<slug>/…`: sign-in, membership,
    `role` to read, `write` to POST, and two-factor where the organization requires it.
    `is_shown_to_operators`: one who looks as the owner sees it, to read.
    """

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def wrapped(
            request: MemberRequest, slug: str, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            membership = membership_of(request, slug)
            safe = request.method in SAFE
            request.membership = membership  # also for the page that refuses
            require_role(
                membership,
                role
                if safe
                else max(role, write or role, key=lambda candidate: candidate.rank),
            )
            if getattr(request, "looks", False):
                refuse_what_a_look_may_not(request, is_shown=is_shown_to_operators)
            elif lacks_as_member(membership):
                return lead_to_set_up(request, required_by=membership.organization.name)
            return view(request, membership, *args, **kwargs)

        wrapped.access = role  # type: ignore[attr-defined]
        return wrapped

    return decorate


def signed_in(view: View) -> View:
    """Mark a view for anybody who is signed in."""
    wrapped = login_required(view)
    wrapped.access = "signed_in"  # type: ignore[attr-defined]
    return wrapped


def public(view: View) -> View:
    """Mark a view for everybody, such as an invitation's link."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def operator_of(request: HttpRequest) -> User:
    """Who acts in the operators' admin, which lets nobody in without signing in.

    Raises PermissionDenied for anybody else.
    """
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
