"""Whether members may ask, when the digest comes, and who wants none (R4a, R6)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Membership, Organization
from config.kit.errors import BusinessError
from requests_inbox.models import DigestOptOut


@transaction.atomic
def set_requests(
    organization: Organization,
    *,
    enabled: bool,
    digest_hour: int,
    actor: Actor,
    now: dt.datetime,
) -> Organization:
    """Switch “Request more usage” and set the local hour (0-23) of the digest.

    Raises BusinessError `bad_hour`.
    """
    if not 0 <= digest_hour <= 23:
        raise BusinessError(
            _("The hour must be between 0 and 23."),
            code="bad_hour",
            status=422,
            field="digest_hour",
        )
    locked = lock_organization(organization.pk)
    before = {"requests": locked.requests_enabled, "digest_hour": locked.digest_hour}
    locked.requests_enabled, locked.digest_hour = enabled, digest_hour
    after = {"requests": enabled, "digest_hour": digest_hour}
    if after != before:
        locked.save(update_fields=["requests_enabled", "digest_hour"])
        record_change(
            locked,
            actor=actor,
            action="organization.requests",
            subject=locked.name,
            now=now,
            from_value=before,
            to_value=after,
        )
    return locked


def set_digest(membership: Membership, *, wanted: bool, now: dt.datetime) -> None:
    """Switch the digest for one recipient; doing it again changes nothing."""
    if wanted:
        DigestOptOut.objects.filter(membership=membership).delete()
    else:
        DigestOptOut.objects.get_or_create(membership=membership, defaults={"at": now})
