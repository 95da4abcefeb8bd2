"""Operators are told, once, of a document that its recipients got without its PDF."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.delivery import MailText, writes
from accounts.models import OutgoingMail
from billing.payments.actions.owner_mails import UNPRINTED, queue_for_operators
from billing.payments.mails.frame import BalanceMail, operator_text
from config.kit.links import absolute


def tell_operators(mail: OutgoingMail, *, number: str, now: dt.datetime) -> None:
    """Queue the notice, once for each document."""
    queue_for_operators(
        mail.organization,
        UNPRINTED,
        key=number,
        facts={"number": number},
        now=now,
    )


@writes(UNPRINTED)
def unprinted_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """Which document it is, what became of it, and what to do."""
    return operator_text(mail, now, _unprinted, link=_admin_of_organization)


def _admin_of_organization(mail: OutgoingMail) -> str:
    path = reverse("admin:accounts_organization_change", args=[mail.organization_id])
    return absolute(path)


def _unprinted(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    facts = {"number": mail.facts["number"], "name": mail.organization.name}
    return BalanceMail(
        _("%(number)s of %(name)s was sent without its PDF") % facts,
        [
            _("Printing it took more time or memory than one document may."),
            _(
                "Its recipients got the link to its page, which has every line and a CSV."
            ),
            _("Look for model names that a gateway made up, such as request ids."),
        ],
        _("Open the organization"),
        page="",
        is_about_balance=False,
    )
