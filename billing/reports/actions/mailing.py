"""Having a report mailed each month: to whom, until when, and making the mails due.

Admins and above get it, who may see reports; addresses outside only once they agreed to
the organization's mails (N4). Acts are audited.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.actions.organizations import lock_organization
from accounts.models import Membership, Organization, Role
from billing.models import NoticeRecipient, ReportMail, ReportMailRecipient
from billing.reports.queries.mailed import may_get
from billing.reports.rules.mailing import CHANGED, REPORT
from config.kit.addresses import canonical_address
from config.kit.errors import BusinessError

MOST_REPORTS, MOST_RECIPIENTS = 50, 50
LONGEST_QUERY = 1_500
TOLD_WITHIN = dt.timedelta(days=3)


@dataclass(frozen=True, slots=True)
class To:
    """One of those a report goes to."""

    membership: Membership | None = None
    outside: NoticeRecipient | None = None


@transaction.atomic
def set_report_mail(
    organization: Organization,
    *,
    query: str,
    addresses: Iterable[str],
    by: Membership,
    now: dt.datetime,
) -> ReportMail:
    """Mail a report each month to these addresses, in place of those who got it so far.

    Raises BusinessError `no_address`, `cannot_get_reports`, `too_many_recipients`,
    `too_long` (422 all), `too_many_reports`.
    """
    if len(query) > LONGEST_QUERY:
        raise _refused(
            _("This report is narrowed to too long a text to be mailed."), "too_long"
        )
    locked = lock_organization(organization.pk)
    recipients = _recipients(locked, addresses, now=now)
    found = locked.report_mails.filter(query=query).first()
    if found is None and locked.report_mails.count() >= MOST_REPORTS:
        raise BusinessError(
            _("Up to %(most)d reports can be mailed monthly. Stop another one first.")
            % {"most": MOST_REPORTS},
            code="too_many_reports",
        )
    before = [] if found is None else addresses_of(found)
    report_mail = found or ReportMail.objects.create(
        organization=locked, query=query, created_by=by, created_at=now
    )
    _change_recipients(report_mail, recipients)
    after = addresses_of(report_mail)
    if before != after:
        _keep(report_mail, Actor.person(by.user), before, after, now=now)
    return report_mail


def _change_recipients(report_mail: ReportMail, wanted: Iterable[To]) -> None:
    """Who stays keeps their row: the link in the mails they got goes on to stop it, and a
    mail that waits is still sent.
    """
    kept = {
        To(one.membership, one.outside): one.pk
        for one in report_mail.recipients.select_related("membership", "outside")
    }
    asked = set(wanted)
    gone = [pk for to, pk in kept.items() if to not in asked]
    report_mail.recipients.filter(pk__in=gone).delete()
    ReportMailRecipient.objects.bulk_create(
        ReportMailRecipient(
            report_mail=report_mail, membership=one.membership, outside=one.outside
        )
        for one in asked - kept.keys()
    )


@transaction.atomic
def stop_report_mail(
    report_mail: ReportMail, *, actor: Actor, now: dt.datetime
) -> None:
    """Mail it no more; what waits to be sent is not sent. Again changes nothing."""
    lock_organization(report_mail.organization_id)
    current = ReportMail.objects.filter(pk=report_mail.pk).first()
    if current is None:
        return
    _keep(current, actor, addresses_of(current), [], now=now)
    current.delete()


@transaction.atomic
def stop_for_one(recipient_id: int, *, now: dt.datetime) -> ReportMailRecipient | None:
    """The link in the mail: this one gets it no more, and where nobody else did, the
    report is mailed no more. None where they were off the list already.
    """
    rows = ReportMailRecipient.objects.select_related(
        "report_mail__organization", "membership__user", "outside"
    )
    recipient = rows.filter(pk=recipient_id).first()
    if recipient is None:
        return None
    lock_organization(recipient.report_mail.organization_id)
    report_mail = recipient.report_mail
    before = addresses_of(report_mail)
    ReportMailRecipient.objects.filter(pk=recipient.pk).delete()
    after = addresses_of(report_mail)
    if before != after:
        _keep(report_mail, Actor(label=recipient.address), before, after, now=now)
    if not after:
        report_mail.delete()
    return recipient


@transaction.atomic
def queue_report(
    report_mail_id: int, *, month_on: dt.date, now: dt.datetime
) -> list[int]:
    """Make the mails of a month due, once; their ids. Nothing for a month that went out,
    or a report that was stopped.
    """
    rows = ReportMail.objects.filter(pk=report_mail_id)
    older = Q(mailed_month_on__isnull=True) | Q(mailed_month_on__lt=month_on)
    if not rows.filter(older).update(mailed_month_on=month_on):
        return []
    report_mail = rows.select_related("organization").get()
    recipients = report_mail.recipients.select_related(
        "membership__user", "membership__organization", "outside"
    )
    mails = [
        _mail(one, month_on=month_on) for one in recipients if may_get(one, now=now)
    ]
    return queue_mails(report_mail.organization, mails, now=now, within=TOLD_WITHIN)


def queue_report_now(
    membership: Membership, *, query: str, range_name: str, now: dt.datetime
) -> list[int]:
    """Mail a report of some days to one person at once; the mail's id."""
    mail = QueuedMail(
        membership.user,
        REPORT,
        f"report:now:{membership.pk}:{now.isoformat()}",
        {"query": query, "range": range_name, "membership": membership.pk},
    )
    with transaction.atomic():
        return queue_mails(membership.organization, [mail], now=now, within=TOLD_WITHIN)


def addresses_of(report_mail: ReportMail) -> list[str]:
    """To whom it goes."""
    recipients = report_mail.recipients.select_related(
        "membership__user", "membership__organization", "outside"
    )
    return sorted(one.address for one in recipients)


def _mail(recipient: ReportMailRecipient, *, month_on: dt.date) -> QueuedMail:
    month = f"{month_on:%Y-%m}"
    key = f"report:{recipient.report_mail_id}:{month}:{recipient.pk}"
    facts = {"recipient": recipient.pk, "range": month}
    if recipient.membership is not None:
        return QueuedMail(recipient.membership.user, REPORT, key, facts)
    assert recipient.outside is not None
    outside = recipient.outside
    return QueuedMail(
        None,
        REPORT,
        key,
        facts,
        address=outside.address,
        language=outside.language or "en",
    )


def _recipients(
    locked: Organization, addresses: Iterable[str], *, now: dt.datetime
) -> list[To]:
    """Whom these addresses name. Raises BusinessError."""
    asked = list(dict.fromkeys(map(canonical_address, addresses)))
    if not asked:
        raise _refused(_("Enter at least one e-mail address."), "no_address")
    if len(asked) > MOST_RECIPIENTS:
        sentence = _(
            "%(count)d addresses were entered; a report goes to %(most)d at most."
        )
        values = {"count": len(asked), "most": MOST_RECIPIENTS}
        raise _refused(sentence % values, "too_many_recipients")
    members = Membership.objects.enabled().filter(
        organization=locked, user__email__in=asked
    )
    people = {
        one.user.email: To(membership=one)
        for one in members.select_related("user", "organization")
        if one.is_at_least(Role.ADMIN)
    }
    agreed = locked.notice_recipients.filter(
        membership__isnull=True, address__in=asked, agreed_at__lte=now
    )
    known = {one.address: To(outside=one) for one in agreed} | people
    if unknown := [one for one in asked if one not in known]:
        sentence = _(
            "%(addresses)s: reports go to admins and owners, and to addresses that agreed"
            " to get mails. Owners add those under Settings › Notices."
        )
        listed = ", ".join(unknown[:5]) + (" …" if len(unknown) > 5 else "")
        raise _refused(sentence % {"addresses": listed}, "cannot_get_reports")
    return [known[one] for one in asked]


def _refused(sentence: str, code: str) -> BusinessError:
    return BusinessError(sentence, code=code, status=422, field="addresses")


def _keep(
    report_mail: ReportMail,
    actor: Actor,
    before: list[str],
    after: list[str],
    *,
    now: dt.datetime,
) -> None:
    record_change(
        report_mail.organization,
        actor=actor,
        action=CHANGED,
        subject=f"?{report_mail.query}"[:150],
        now=now,
        from_value={"addresses": before},
        to_value={"addresses": after},
    )
