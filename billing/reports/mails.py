"""Writes mailed reports, with the figures of when the mail goes out: the sum, the first
rows, the whole as CSV, and the link.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.delivery import MailText, in_frame, one_click, writes
from accounts.models import Membership, Organization, OutgoingMail, Role
from billing.models import ReportMailRecipient
from billing.reports.csv import report_file
from billing.reports.filters import ReportFilter, chip_people, report_filter
from billing.reports.links import stop_url
from billing.reports.queries.mailed import may_get
from billing.reports.queries.report import PERSON, Report, ReportRow, people_called
from billing.reports.rules.mailing import REPORT
from billing.reports.words.report import (
    change_text,
    comparison_text,
    range_text,
    report_text,
    value_text,
)
from config.kit.letters import Fact, Letter, Press
from config.kit.links import page_url
from config.kit.mailer import Attachment
from config.kit.money import format_usd
from config.kit.months import local_day

FIRST_ROWS = 10
MOST_BYTES = 4_000_000  # of the CSV, which grows by a third on its way


@dataclass(frozen=True, slots=True)
class Asked:
    """One mail: the organization, the report's address, and how its reader stops it."""

    organization: Organization
    query: str
    is_member: bool
    stop: str = ""


@writes(REPORT)
def report_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """A report to one reader; None for somebody who may not see it any more."""
    asked = _asked(mail, now=now)
    if asked is None:
        return None
    query = QueryDict(asked.query, mutable=True)
    query["range"] = mail.facts["range"]
    zone = asked.organization.zone_at(now)
    with translation.override(mail.reads):
        chosen = report_filter(query, today=local_day(now, zone))
        chosen.people = chip_people(asked.organization.pk, chosen)
        report = Report(asked.organization.pk, chosen.asked)
        file = report_file(asked.organization.pk, chosen.asked, most=MOST_BYTES)
        letter = _letter(asked, report, chosen, query, has_file=file is not None)
    headers = one_click(asked.stop) if asked.stop else {}
    return in_frame(letter, headers=headers, attachments=_attached(asked, report, file))


def _asked(mail: OutgoingMail, *, now: dt.datetime) -> Asked | None:
    """Of a monthly one the recipient as they are now, else who asked for it just once."""
    organization = mail.organization
    if "recipient" not in mail.facts:
        members = Membership.objects.enabled().select_related("organization")
        member = members.filter(pk=mail.facts["membership"]).first()
        if member is None or not member.is_at_least(Role.ADMIN):
            return None
        return Asked(organization, mail.facts["query"], True)
    rows = ReportMailRecipient.objects.select_related(
        "report_mail", "membership__user", "membership__organization", "outside"
    )
    recipient = rows.filter(pk=mail.facts["recipient"]).first()
    if recipient is None or not may_get(recipient, now=now):
        return None
    return Asked(
        organization,
        recipient.report_mail.query,
        recipient.membership is not None,
        stop_url(recipient.pk),
    )


def _letter(
    asked: Asked,
    report: Report,
    chosen: ReportFilter,
    query: QueryDict,
    *,
    has_file: bool,
) -> Letter:
    name = asked.organization.name
    days, total = range_text(report.asked.span), format_usd(report.total_nanos)
    link = f"{page_url('reports', asked.organization.slug)}?{query.urlencode()}"
    lines = [comparison_text(report), report_text(chosen.asked, chosen.chips)]
    if not has_file:
        lines.append(_("The report is too long to attach; its page has it as CSV."))
    letter = Letter(
        _("%(total)s in %(days)s: %(name)s")
        % {"total": total, "days": days, "name": name},
        lines,
        Press(_("Open the report"), link) if asked.is_member else None,
        _why(asked),
        facts=[*_facts(report), Fact(_("All"), total)],
        has_total=True,
        name=name,
    )
    if asked.stop:
        letter = replace(
            letter, stops=[Press(_("Stop these e-mails for me"), asked.stop)]
        )
    return letter


def _facts(report: Report) -> list[Fact]:
    rows = report.rows[:FIRST_ROWS]
    ids = [row.key for row in rows] if report.asked.by == PERSON else []
    people = people_called(report.organization_id, ids) if ids else {}
    facts = [_fact(report, row, people) for row in rows]
    if others := report.rows[FIRST_ROWS:]:
        count = len(others)
        label = ngettext("%(count)d other", "%(count)d others", count)
        total = sum(row.total_nanos for row in others)
        facts.append(Fact(label % {"count": count}, format_usd(total)))
    return facts


def _fact(report: Report, row: ReportRow, people: dict[int, Membership]) -> Fact:
    by = report.asked.by
    has_before = by != "day"
    return Fact(
        value_text(by, row.key, people),
        format_usd(row.total_nanos),
        change_text(row) if has_before else "",
    )


def _why(asked: Asked) -> str:
    if not asked.stop:
        return _("You asked for this report on its page.")
    values = {"name": asked.organization.name}
    if asked.is_member:
        return (
            _(
                "You get this once a month, because an admin of %(name)s chose you for it."
            )
            % values
        )
    return (
        _(
            "You get this once a month, because an admin of %(name)s chose your address,"
            " which agreed to its mails."
        )
        % values
    )


def _attached(
    asked: Asked, report: Report, file: bytes | None
) -> tuple[Attachment, ...]:
    if file is None:
        return ()
    span = report.asked.span
    name = f"{asked.organization.slug}-{span.start}-{span.last}.csv"
    return (Attachment(name, file, "text/csv"),)
