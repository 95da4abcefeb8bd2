"""The links in mails about notices: to agree to getting them, and to stop them. Whoever
holds one needs no account.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from accounts.access import public
from accounts.actions.audit import Actor
from accounts.models import Membership
from billing.models import NoticeKind, NoticeRecipient
from billing.notices.actions.choices import stop_mails
from billing.notices.actions.recipients import agree, remove_recipient
from billing.notices.links import Stop, recipient_that_agrees, stop_of
from config.kit.http import get_or_post
from config.kit.later import for_strangers


@public
@for_strangers
@get_or_post
def notices_agree(request: HttpRequest, token: str) -> HttpResponse:
    """An address outside says yes, by a button: mail programs that look at links ahead
    agree to nothing.
    """
    now = timezone.now()
    recipient_id = recipient_that_agrees(token, now=now)
    recipient = _recipient(recipient_id)
    if recipient is None:
        return _gone(request)
    if request.method == "POST":
        recipient = agree(recipient.pk, now=now)
        if recipient is None:
            return _gone(request)
    context = {
        "organization": recipient.organization,
        "address": recipient.address,
        "done": recipient.agreed_at is not None,
    }
    return render(request, "billing/notices/agree.html", context)


@public
# mail programs press it by themselves (RFC 8058); the token in the address is the
# permission
@csrf_exempt
@for_strangers
@get_or_post
def notices_stop(request: HttpRequest, token: str) -> HttpResponse:
    """The link in every mail: a page that asks, and the one-click POST."""
    stop = stop_of(token)
    if stop is None:
        raise Http404
    stopped = _stop_member(request, stop) if stop.membership_id else None
    context = stopped or _stop_outside(request, stop)
    context["done"] = request.method == "POST"
    return render(request, "billing/notices/stop.html", context)


def _stop_member(request: HttpRequest, stop: Stop) -> dict[str, Any]:
    """A member's mails of one kind; Http404 where there is no such person any more."""
    members = Membership.objects.select_related("organization")
    membership = members.filter(pk=stop.membership_id).first()
    if membership is None or stop.kind not in NoticeKind.values:
        raise Http404
    if request.method == "POST":
        stop_mails(membership, kind=stop.kind)
    return {
        "organization": membership.organization,
        "kind": NoticeKind(stop.kind).label,
    }


def _stop_outside(request: HttpRequest, stop: Stop) -> dict[str, Any]:
    """An address outside; one that is off the list already has what it wants."""
    recipient = _recipient(stop.recipient_id)
    if recipient is not None and request.method == "POST":
        actor = Actor(label=recipient.address)
        remove_recipient(recipient, actor=actor, now=timezone.now())
    return {"organization": recipient.organization if recipient else None}


def _recipient(recipient_id: int | None) -> NoticeRecipient | None:
    outside = NoticeRecipient.objects.filter(membership__isnull=True)
    return outside.select_related("organization").filter(pk=recipient_id or 0).first()


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "billing/notices/agree_gone.html", status=404)
