"""The mail about differences that new prices booked (M4).

To owners, in their language. Importing this registers the writer.
"""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.delivery import MailText, writes
from accounts.models import OutgoingMail
from billing.payments.actions.owner_mails import REPRICED
from billing.payments.mails.frame import BalanceMail, balance_text
from billing.prices.words import correction_reason_text
from config.kit.money import format_usd


@writes(REPRICED)
def repriced_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """What earlier requests cost otherwise now, why, and where it counts."""
    return balance_text(mail, now, _repriced)


def _repriced(mail: OutgoingMail, now: dt.datetime) -> BalanceMail:
    nanos = mail.facts["nanos"]
    facts = {"name": mail.organization.name, "amount": format_usd(abs(nanos))}
    if nanos > 0:
        title = _("%(name)s: %(amount)s charged later for earlier usage") % facts
    else:
        title = _("%(name)s: %(amount)s less for earlier usage") % facts
    return BalanceMail(title, _lines(mail), _("Open activity"), "activity", False)


def _lines(mail: OutgoingMail) -> list[str]:
    events = mail.facts["events"]
    what = ngettext(
        "%(count)s request was priced again: %(models)s.",
        "%(count)s requests were priced again: %(models)s.",
        events,
    ) % {"count": f"{events:,}", "models": ", ".join(mail.facts["models"])}
    reasons = [
        f"{correction_reason_text(reason)} ({format_usd(nanos)})"
        for reason, nanos in mail.facts["by_reason"].items()
    ]
    where = _(
        "The differences count toward the current month, and each is on the receipt of "
        "its request. Months that are closed stay as they were billed."
    )
    return [what, *reasons, where]
