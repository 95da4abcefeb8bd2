"""Personal tokens (X3): keys by which a member asks, reports and reads for themselves alone."""

from __future__ import annotations

import datetime as dt
import secrets

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.organizations import lock_organization
from accounts.models import ApiKey, Membership, Organization, Scope
from config.kit.errors import BusinessError
from config.kit.keys import PREFIX, SECRET_BYTES
from config.kit.months import local_day, local_midnight
from config.kit.one_line import name_of

# Of one person in one organization: a computer or two, and what runs there.
MOST_TOKENS = 10
DAYS, MOST_DAYS = 90, 365
DAY = dt.timedelta(days=1)
TOKEN_ENDS = "api_key.token_ends"  # noqa: S105 (a kind of mail)


@transaction.atomic
def create_token(
    membership: Membership,
    *,
    name: str,
    now: dt.datetime,
    expires_on: dt.date | None = None,
) -> tuple[ApiKey, str]:
    """A new token of the member's own and its secret, which nobody can read again.

    It is good through the day `expires_on` in the organization's time zone, without one
    for DAYS days. Raises BusinessError `not_one_line`, `no_name`, `not_a_future_day`,
    `too_many_tokens`, `member_inactive`.
    """
    name = name_of(name, field="name", most=80)
    if not name:
        sentence = _("Give the token a name that says what uses it.")
        raise BusinessError(sentence, code="no_name", status=422, field="name")
    organization, member = _locked(membership)
    if not (member.is_active and member.user.is_active):
        sentence = _("%(name)s is not active in this organization.")
        raise BusinessError(sentence % {"name": member.user}, code="member_inactive")
    zone = organization.zone_at(now)
    last_on = _last_day(expires_on, today=local_day(now, zone))
    if member.tokens.live(now).count() >= MOST_TOKENS:
        raise _too_many(organization)
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    token = ApiKey.objects.create(
        organization=organization,
        membership=member,
        name=name,
        prefix=secret[: len(PREFIX) + 6],
        digest=ApiKey.digest_of(secret),
        scopes=Scope.SELF,
        created_by=member.user,
        created_at=now,
        expires_at=local_midnight(last_on + DAY, zone),
    )
    record_change(
        organization,
        actor=Actor.person(member.user),
        action="api_key.token_create",
        subject=_subject(token, member),
        now=now,
        membership=member,
        to_value={"expires_on": last_on.isoformat()},
    )
    return token, secret


def _locked(membership: Membership) -> tuple[Organization, Membership]:
    organization = lock_organization(membership.organization_id)
    return organization, Membership.objects.select_related("user").get(pk=membership.pk)


def _last_day(expires_on: dt.date | None, *, today: dt.date) -> dt.date:
    last_on = expires_on or today + DAYS * DAY
    if not today <= last_on <= today + MOST_DAYS * DAY:
        raise BusinessError(
            _("Choose a day from today on, at most one year ahead."),
            code="not_a_future_day",
            status=422,
            field="expires_on",
        )
    return last_on


def _too_many(organization: Organization) -> BusinessError:
    return BusinessError(
        _(
            "You have %(most)d tokens in %(organization)s, the most there can be. Revoke one first."
        )
        % {"most": MOST_TOKENS, "organization": organization.name},
        code="too_many_tokens",
    )


def _subject(token: ApiKey, member: Membership) -> str:
    return f"{token.name} ({member.user.email})"


@transaction.atomic
def tell_of_token_end(token: ApiKey, *, now: dt.datetime) -> list[int]:
    """Queue the mail to whose token it is that its time is nearly over, once; its id."""
    assert token.membership is not None
    assert token.expires_at is not None
    organization, member = _locked(token.membership)
    mail = QueuedMail(
        member.user, TOKEN_ENDS, f"{TOKEN_ENDS}:{token.pk}", {"key": token.pk}
    )
    return queue_mails(organization, [mail], now=now, within=token.expires_at - now)


@transaction.atomic
def revoke_token(token: ApiKey, *, actor: Actor, now: dt.datetime) -> bool:
    """End a personal token at once; whether it was still there to end."""
    assert token.membership is not None
    organization, member = _locked(token.membership)
    return bool(_revoke(organization, member, [token.pk], actor=actor, now=now))


def end_tokens(
    organization: Organization, member: Membership, *, actor: Actor, now: dt.datetime
) -> int:
    """End all tokens of somebody who may not use them any more; how many. Call it under
    the organization's lock, in the transaction that takes the right.
    """
    there = member.tokens.filter(revoked_at__isnull=True).values_list("pk", flat=True)
    return _revoke(organization, member, list(there), actor=actor, now=now)


def _revoke(
    organization: Organization,
    member: Membership,
    ids: list[int],
    *,
    actor: Actor,
    now: dt.datetime,
) -> int:
    there = member.tokens.filter(pk__in=ids, revoked_at__isnull=True)
    tokens = list(there)
    there.update(revoked_at=now)
    for token in tokens:
        record_change(
            organization,
            actor=actor,
            action="api_key.token_revoke",
            subject=_subject(token, member),
            now=now,
            membership=member,
        )
    return len(tokens)
