"""Mails of the accounts app: invitations, and what people are told of their account,
written when the queue sends them.
"""

from __future__ import annotations

import datetime as dt

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.actions.customers import WELCOME
from accounts.actions.invitation_mails import (
    INVITATION,
    note_link_mailed,
    token_in,
    valid_until,
)
from accounts.actions.looking import LOOKED
from accounts.actions.two_factor import RESET
from accounts.delivery import MailText, in_frame, writes
from accounts.models import Invitation, Membership, OutgoingMail, SecurityEvent, User
from config.kit.browsers import browser_text
from config.kit.dates import dated_day_text, day_text, time_text
from config.kit.letters import Letter, Press
from config.kit.links import page_url
from config.kit.months import local_day
from config.kit.one_line import has_link, shown_line


@writes(INVITATION, then=note_link_mailed)
def invitation_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """The link to join, in the invited person's language where known, else the
    inviter's; None once it was withdrawn, replaced or used.
    """
    pending = Invitation.objects.pending(now=now)
    pending = pending.select_related("organization", "invited_by")
    invitation = pending.filter(pk=mail.facts["invitation"]).first()
    if invitation is None:
        return None
    account_language = (
        User.objects.filter(email=invitation.email)
        .values_list("language", flat=True)
        .first()
    )
    language = account_language or mail.reads
    with override(language):
        letter = _invitation_letter(invitation, token_in(mail), now=now)
    return in_frame(letter, language=language)


def _invitation_letter(
    invitation: Invitation, token: str, *, now: dt.datetime
) -> Letter:
    organization = invitation.organization
    until = local_day(valid_until(now), organization.timezone)
    facts = {
        "who": _name(invitation.invited_by.name, invitation.invited_by.email),
        "name": _name(organization.name, organization.slug),
        "email": invitation.email,
        "day": day_text(until),
    }
    return Letter(
        _("“%(who)s” invited you to “%(name)s”.") % facts,
        [_("The link works once, until %(day)s.") % facts],
        Press(_("Join"), page_url("invitation", token)),
        _(
            "You're receiving this because someone entered %(email)s. If you weren't "
            "expecting an invitation, ignore it; nothing happens without the link."
        )
        % facts,
        name=facts["name"],
        subject=_("“%(who)s” invited you to “%(name)s”") % facts,
    )


def because_of_role(owner: Membership) -> str:
    """Why somebody gets a mail that their role brings."""
    return _("You're receiving this because your role at %(name)s is %(role)s.") % {
        "name": owner.organization.name,
        "role": owner.role.label,
    }


def _name(name: str, plain: str) -> str:
    """A stored name for a mail to strangers; one from before links were refused in names
    gives way to what is plain.
    """
    return plain if has_link(name) else shown_line(name)


@writes("password_reset", is_forgotten=True)
def password_reset_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """The link to choose a password, made now and kept nowhere; None where nobody who
    may sign in has the address.
    """
    person = User.objects.filter(email=mail.address, is_active=True).first()
    if person is None:
        return None
    with override(person.language):
        letter = Letter(
            _("Choose a new password"),
            [
                _(
                    "Somebody asked for a new password for %(email)s. The link works "
                    "once, for 24 hours."
                )
                % {"email": person.email}
            ],
            Press(_("Choose a new password"), _link_to_choose(person)),
            _("If it wasn't you, ignore this message; your password stays as it is."),
        )
    return in_frame(letter, language=person.language)


@writes("security_notice")
def security_notice_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """What happened to a person's account, when and from where."""
    if mail.user is None or not mail.user.is_active:
        return None
    facts = mail.facts
    with override(mail.reads):
        lines = [
            _("The account of %(email)s:") % {"email": mail.user.email},
            _moment(dt.datetime.fromisoformat(facts["at"])),
            _by_whom(facts),
        ]
        letter = Letter(
            str(SecurityEvent.Kind(facts["kind"]).label),
            lines,
            Press(_("See recent activity"), page_url("own_security_events")),
            _("You're receiving this because it concerns how you sign in."),
            advice=_(
                "If this wasn't you, reset your password now and tell whoever runs this "
                "installation."
            ),
        )
    return in_frame(letter)


def _moment(at: dt.datetime) -> str:
    values = {"day": dated_day_text(at.date()), "time": time_text(at, zone="UTC")}
    return _("%(day)s, %(time)s UTC") % values


def _by_whom(facts: dict[str, str]) -> str:
    """From which address and browser, or that an operator did it."""
    if facts["by_operator"]:
        return _("By an operator of this installation")
    if not facts["browser"]:
        return _("From %(client)s") % facts
    browser = browser_text(facts["browser"])
    return _("From %(client)s, %(browser)s") % {**facts, "browser": browser}


@writes("address_changed")
def address_changed_mail(mail: OutgoingMail, now: dt.datetime) -> MailText:
    """To both mailboxes; the one before isn't told the new address."""
    with override(mail.reads):
        if mail.facts["is_new"]:
            lines = [
                _("You now sign in with %(email)s.") % {"email": mail.address},
                _("%(before)s no longer opens your account.") % mail.facts,
            ]
        else:
            lines = [
                _("%(before)s no longer opens the account it belonged to.")
                % mail.facts,
                _("Sessions that were open have ended."),
            ]
        letter = Letter(
            _("E-mail address changed"),
            [*lines, _("By an operator of this installation")],
            Press(_("Sign in"), page_url("account_login")),
            _("You're receiving this because it concerns how you sign in."),
            advice=_(
                "If you didn't ask for this, tell whoever runs this installation."
            ),
        )
    return in_frame(letter)


@writes(RESET)
def reset_letter(mail: OutgoingMail, now: dt.datetime) -> MailText:
    """That an operator took away the second factor, and what to do now."""
    with override(mail.reads):
        letter = Letter(
            _("Your two-factor sign-in was reset"),
            [
                _(
                    "An operator took away your authenticator app and your recovery "
                    "codes, and ended your sessions. Until you set it up again, you "
                    "sign in with your password alone."
                )
            ],
            Press(_("Set it up again"), page_url("mfa_index")),
            _(
                "If you didn't ask for this, tell an owner of your organization at once."
            ),
        )
    return in_frame(letter)


@writes(WELCOME)
def welcome_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """To the owner of a new customer: who has no password yet chooses one by the link,
    which is made now and kept nowhere.
    """
    person, organization = mail.user, mail.organization
    if person is None:
        return None
    slug = organization.slug
    is_new = not person.has_usable_password()
    link = _link_to_choose(person) if is_new else page_url("home")
    with override(mail.reads):
        names = {"name": _name(organization.name, slug), "email": person.email}
        lines = [
            _("%(name)s has been set up, and you are its primary owner.") % names,
            _("You sign in with %(email)s.") % names,
        ]
        advice = _("Next: invite people, create an API key and turn on extra usage.")
        if is_new:
            advice = _(
                "The link works for a day. After that, choose “Forgot password” on "
                "the sign-in page."
            )
        letter = Letter(
            _("%(name)s is ready for you") % names,
            lines,
            Press(_("Choose a password") if is_new else _("Open it"), link),
            _("You're receiving this because you are the primary owner."),
            advice=advice,
            name=names["name"],
        )
    return in_frame(letter)


def _link_to_choose(person: User) -> str:
    key = default_token_generator.make_token(person)
    return page_url("account_reset_password_from_key", user_pk_to_url_str(person), key)


@writes(LOOKED)
def looked_letter(mail: OutgoingMail, now: dt.datetime) -> MailText:
    """To the owners: an operator looks at their pages, who, when and why."""
    facts = mail.facts
    with override(mail.reads):
        names = {"who": facts["who"], "name": mail.organization.name}
        letter = Letter(
            _("An operator looked at %(name)s") % names,
            [
                _(
                    "%(who)s, an operator of this installation, opened Settings › Usage "
                    "as you see it. They could read it and change nothing."
                )
                % names,
                _moment(dt.datetime.fromisoformat(facts["at"])),
                _("Reason: %(reason)s") % facts,
            ],
            Press(_("See activity"), page_url("activity", mail.organization.slug)),
            _("You're receiving this because you are an owner."),
            advice=_("It is kept under Activity."),
            name=mail.organization.name,
        )
    return in_frame(letter)
