"""What our codes are called in operators' lists: kinds of mail, reasons of a block."""

from __future__ import annotations

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail_kinds import register_mail_kinds
from billing.funding.rules.standing import Reason
from config.kit.code_words import name_codes
from requests_inbox.actions.deciding import ANSWER
from requests_inbox.actions.digests import DIGEST
from requests_inbox.words import block_reason_text

register_mail_kinds(
    {
        ANSWER: gettext_lazy("Answer to a request"),
        DIGEST: gettext_lazy("Daily digest of requests"),
    }
)


def _reason_text(code: str) -> str:
    if code == Reason.MEMBER_INACTIVE:
        return _("No longer a member")
    known = code in list(Reason)
    return str(capfirst(block_reason_text(Reason(code)))) if known else code


name_codes("requests_inbox.UsageRequest.reason", _reason_text)
