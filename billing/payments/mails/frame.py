"""What mails about money have in common: whom they still go to, in which language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.delivery import MailText, in_frame
from accounts.mails import because_of_role
from accounts.models import Membership, OutgoingMail
from config.kit.dates import city_time_text
from config.kit.letters import Letter, Press
from config.kit.links import page_url


def in_words_of_recipient(
    mail: OutgoingMail, compose: Callable[[Membership | None], MailText]
) -> MailText | None:
    """What `compose` writes in the recipient's language; nothing to somebody who is no
    owner any more.

    `compose` gets the owner's membership, None for a mail to the billing address.
    """
    owner = None
    if mail.user is not None:
        owners = mail.organization.memberships.owners_to_mail()
        owner = owners.select_related("organization").filter(user=mail.user).first()
        if owner is None:
            return None
    with translation.override(mail.reads):
        return compose(owner)


def to_operator(mail: OutgoingMail, compose: Callable[[], MailText]) -> MailText | None:
    """What `compose` writes in an operator's language; nothing to somebody who may not
    see payments any more.
    """
    operator = mail.user
    if operator is None or not (operator.is_active and operator.is_staff):
        return None
    if not operator.has_perm("billing.view_payment"):
        return None
    with translation.override(mail.reads):
        return compose()


@dataclass(frozen=True, slots=True)
class BalanceMail:
    """One mail about a balance: the number first, what it means, and the one thing to
    do, on the page of that URL name.
    """

    title: str
    lines: list[str]
    button: str
    page: str
    # Whether it goes to those only who prepay.
    is_about_balance: bool = True


def balance_text(
    mail: OutgoingMail,
    now: dt.datetime,
    compose: Callable[[OutgoingMail, dt.datetime], BalanceMail],
) -> MailText | None:
    """A mail about a balance in the frame, to an owner."""

    def in_template(owner: Membership | None) -> MailText:
        assert owner is not None  # a balance's mails go to owners only
        words = compose(mail, now)
        link = page_url(words.page, mail.organization.slug)
        why = because_of_role(owner)
        if words.is_about_balance:
            why = _(
                "You're receiving this because your role at %(name)s, which prepays for "
                "extra usage, is %(role)s."
            ) % {"name": mail.organization.name, "role": owner.role.label}
        return _in_frame(mail, words, link=link, why=why, now=now)

    return in_words_of_recipient(mail, in_template)


def operator_text(
    mail: OutgoingMail,
    now: dt.datetime,
    compose: Callable[[OutgoingMail, dt.datetime], BalanceMail],
    *,
    link: Callable[[OutgoingMail], str],
) -> MailText | None:
    """The same to an operator, who acts on the page `link` gives."""

    def in_template() -> MailText:
        why = _("You're receiving this because you are an operator.")
        words = compose(mail, now)
        return _in_frame(mail, words, link=link(mail), why=why, now=now)

    return to_operator(mail, in_template)


def _in_frame(
    mail: OutgoingMail, words: BalanceMail, *, link: str, why: str, now: dt.datetime
) -> MailText:
    letter = Letter(
        words.title,
        words.lines,
        Press(words.button, link),
        why,
        name=mail.organization.name,
        when=city_time_text(mail.organization.zone_at(now)),
    )
    return in_frame(letter)
