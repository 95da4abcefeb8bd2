"""The names that other systems have for a member (X2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import ExternalId, Membership, Organization
from config.kit.errors import BusinessError
from config.kit.external_names import MOST_PART, external_name, is_external_name
from config.kit.one_line import LineError, checked_line

# Of one member: a system or two know somebody by a few names.
MOST_IDS = 20
FIELD = "external_ids"


@transaction.atomic
def set_external_ids(
    membership: Membership,
    ids: Iterable[tuple[str, str]],
    *,
    actor: Actor,
    now: dt.datetime,
) -> list[ExternalId]:
    """Give a member exactly these external ids (issuer, subject); those they have now.

    Who was removed keeps theirs until somebody takes them. Raises BusinessError at
    `external_ids`: `not_an_external_id`, `too_many_external_ids`, `erased` (422 each),
    `external_id_taken` (409).
    """
    wanted = {external_name(*pair): pair for pair in map(_checked, ids)}
    if len(wanted) > MOST_IDS:
        raise _refusal(
            _("A member can have %(most)d external ids at most.") % {"most": MOST_IDS},
            code="too_many_external_ids",
        )
    organization = lock_organization(membership.organization_id)
    member = Membership.objects.select_related("user").get(pk=membership.pk)
    if wanted and member.is_erased:
        raise _refusal(_("This person was erased."), code="erased")
    _refuse_taken(organization, member, wanted)
    held = {one.name: one for one in member.external_ids.all()}
    gone = [one.pk for name, one in held.items() if name not in wanted]
    ExternalId.objects.filter(pk__in=gone).delete()
    new = [name for name in wanted if name not in held]
    for name in new:
        issuer, subject = wanted[name]
        ExternalId.objects.create(
            organization=organization,
            membership=member,
            issuer=issuer,
            subject=subject,
            name=name,
        )
    if gone or new:
        _record(organization, member, held, wanted, len(new), actor=actor, now=now)
    return list(member.external_ids.order_by("pk"))


def _checked(pair: tuple[str, str]) -> tuple[str, str]:
    """Issuer and subject as they are kept. Raises BusinessError `not_an_external_id`."""
    issuer, subject = map(_part, pair)
    name = external_name(issuer, subject)
    if not is_external_name(name):
        sentence = _("“%(name)s” reads like an e-mail address, not an external id.")
        raise _refusal(sentence % {"name": name}, code="not_an_external_id")
    return issuer, subject


def _part(text: str) -> str:
    code = "not_an_external_id"
    try:
        line = checked_line(text)
    except LineError as error:
        raise _refusal(str(error), code=code) from error
    if not line:
        sentence = _("An external id has an issuer and a subject; neither is empty.")
        raise _refusal(sentence, code=code)
    if len(line) > MOST_PART:
        sentence = _("“%(start)s…” is too long; %(most)d characters are the most.")
        raise _refusal(sentence % {"start": line[:20], "most": MOST_PART}, code=code)
    return line


def _refuse_taken(
    organization: Organization, member: Membership, names: Iterable[str]
) -> None:
    taken = (
        ExternalId.objects.filter(organization=organization, name__in=list(names))
        .exclude(membership=member)
        .select_related("membership__user")
        .order_by("pk")
        .first()
    )
    if taken is None:
        return
    holder = taken.membership
    facts = {"id": taken.name, "name": holder.user, "email": holder.user.email}
    sentence = _("“%(id)s” is %(name)s's already (%(email)s). Take it from them first.")
    if not holder.is_active:
        sentence = _(
            "“%(id)s” is still that of %(name)s (%(email)s), who was removed. Take it"
            " from them first."
        )
    raise _refusal(sentence % facts, code="external_id_taken", status=409)


def _refusal(sentence: str, *, code: str, status: int = 422) -> BusinessError:
    return BusinessError(sentence, code=code, status=status, field=FIELD)


def _record(
    organization: Organization,
    member: Membership,
    held: dict[str, ExternalId],
    wanted: dict[str, tuple[str, str]],
    new: int,
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """From which issuers; a subject is somebody's name, which the audit would keep when
    they are erased.
    """
    record_change(
        organization,
        actor=actor,
        action="member.external_ids",
        subject=str(member.user),
        now=now,
        membership=member,
        from_value={"issuers": [one.issuer for one in held.values()]},
        to_value={
            "issuers": [issuer for issuer, _subject in wanted.values()],
            "new": new,
        },
    )
