"""Your settings › Personal tokens (X3): making, listing and revoking one's own."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import UserRequest, signed_in
from accounts.actions.audit import Actor
from accounts.actions.tokens import create_token, revoke_token
from accounts.forms import TokenForm
from accounts.models import NOTICE, ApiKey, Membership, SecurityEvent
from accounts.queries import own_tokens
from accounts.second_factor import lacks_as_member, lead_to_set_up
from accounts.security_events import note
from config.kit.fields import refusals_on
from config.kit.http import get_or_post, posted

Kind = SecurityEvent.Kind


@signed_in
@get_or_post
def tokens_page(request: UserRequest) -> HttpResponse:
    """All tokens of one's own that are good; a POST makes one and shows its secret on
    this one answer only.
    """
    now = timezone.now()
    memberships = _memberships(request)
    form, secret, token = TokenForm(posted(request), memberships=memberships), "", None
    if form.is_valid():
        membership = memberships[form.cleaned_data.pop("membership")]
        if lacks_as_member(membership):
            return lead_to_set_up(request, required_by=membership.organization.name)
        with refusals_on(form):
            token, secret = create_token(membership, now=now, **form.cleaned_data)
            note(Kind.TOKEN_CREATED, person=request.user, request=request)
            form = TokenForm(None, memberships=memberships)
    context = {
        "tokens": own_tokens(request.user, now=now),
        "has_several": len(memberships) > 1,
        "has_any": bool(memberships),
        "soon": now + NOTICE,
        "form": form,
        "secret": secret,
        "new_token": token,
    }
    return render(
        request, "accounts/tokens.html", context, status=422 if form.errors else 200
    )


def _memberships(request: UserRequest) -> dict[int, Membership]:
    """Where one may make a token, by the organizations' names."""
    memberships = (
        Membership.objects.active()
        .filter(user=request.user)
        .select_related("organization", "user")
        .order_by("organization__name", "pk")
    )
    return {membership.pk: membership for membership in memberships}


@signed_in
@require_POST
def token_revoke(request: UserRequest, token_id: int) -> HttpResponse:
    """End one of one's own; ending it again changes nothing."""
    theirs = ApiKey.objects.personal().filter(membership__user=request.user)
    token = get_object_or_404(theirs.select_related("membership"), pk=token_id)
    if revoke_token(token, actor=Actor.person(request.user), now=timezone.now()):
        note(Kind.TOKEN_REVOKED, person=request.user, request=request)
    sentence = _("The token %(name)s has been revoked.")
    messages.success(request, sentence % {"name": token.name})
    return redirect("own_tokens")
