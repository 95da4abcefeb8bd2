"""What each person chose about notices (N4)."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership
from billing.models import NoticeChoice, NoticeKind, ToldBy
from config.kit.errors import BusinessError


def choose(membership: Membership, *, kind: str, told_by: str) -> None:
    """How a person is told of a kind of notice from now on; again changes nothing.

    Raises BusinessError `unknown_choice` (422).
    """
    if kind not in NoticeKind.values or told_by not in ToldBy.values:
        raise BusinessError(
            _("Choose page and mail, page, or nothing."),
            code="unknown_choice",
            status=422,
            field=kind,
        )
    NoticeChoice.objects.update_or_create(
        membership=membership, kind=kind, defaults={"told_by": told_by}
    )


@transaction.atomic
def stop_mails(membership: Membership, *, kind: str) -> None:
    """The link in a mail: no mails of this kind any more. The page goes on, unless they
    chose nothing at all.
    """
    _choice, is_new = NoticeChoice.objects.get_or_create(
        membership=membership, kind=kind, defaults={"told_by": ToldBy.PAGE}
    )
    if not is_new:
        NoticeChoice.objects.filter(
            membership=membership, kind=kind, told_by=ToldBy.MAIL
        ).update(told_by=ToldBy.PAGE)


def forget_choice(membership: Membership, *, kind: str) -> None:
    """Back to the kind's default; again changes nothing."""
    NoticeChoice.objects.filter(membership=membership, kind=kind).delete()
