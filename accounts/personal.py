"""What the tables of accounts, and of the libraries it signs people in with, hold about
people.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import AuditEntry
from config.kit.personal import Personal, declare


def _audited_names(user: Any) -> QuerySet[Any, Any]:
    """Of these changes the subject is the member's name on that day."""
    about = Q(action__startswith="member.") | Q(action="invitation.accept")
    entries = AuditEntry.objects.filter(about, membership__user=user)
    return entries.values_list("subject", flat=True)


declare(
    Personal(
        "accounts.User",
        person="pk",
        own=("password", "email", "name", "language"),
        exported=(
            "email",
            "name",
            "language",
            "is_active",
            "is_staff",
            "date_joined",
            "last_login",
        ),
    ),
    Personal(
        "accounts.Membership",
        person="user",
        plain=("base_role", "seat_tier", "status", "past_seats"),
        exported=(
            "organization__name",
            "base_role",
            "seat_tier",
            "status",
            "past_seats",
            "joined_at",
            "removed_at",
        ),
    ),
    Personal(
        "accounts.FormerAddress",
        person="user",
        own=("email",),
        exported=("email", "until_at"),
    ),
    Personal(
        "accounts.Invitation",
        texts=("email",),
        plain=("base_role", "seat_tier", "token_digest"),
        by_address="email",
        exported=(
            "organization__name",
            "base_role",
            "seat_tier",
            "created_at",
            "expires_at",
            "accepted_at",
            "revoked_at",
        ),
    ),
    Personal(
        "accounts.AuditEntry",
        person="membership__user",
        texts=("actor_label", "subject", "from_value", "to_value", "reason"),
        plain=("action",),
        within="organization",
        exported=("at", "organization__name", "action", "from_value", "to_value"),
        # A hand-over names the one before.
        exported_if=~Q(action__startswith="organization."),
        acted=("at", "organization__name", "action"),
        past_names=_audited_names,
    ),
    Personal(
        "accounts.OutgoingMail",
        person="user",
        texts=("address", "facts", "last_error"),
        plain=("language", "kind", "key", "message_id"),
        exported=("organization__name", "kind", "created_at", "sent_at", "dropped_at"),
    ),
    Personal(
        "accounts.SecurityEvent",
        person="person",
        is_deleted=True,
        plain=("kind",),
        own=("client", "browser"),
        exported=("at", "kind", "client", "browser"),
    ),
    Personal(
        "accounts.ExternalId",
        person="membership__user",
        is_deleted=True,
        own=("issuer", "subject", "name"),
        exported=("organization__name", "issuer", "subject"),
    ),
    # Personal tokens go with the person; the others' names may hold addresses.
    Personal(
        "accounts.ApiKey",
        person="membership__user",
        texts=("name",),
        plain=(
            "prefix",
            "digest",
            "scopes",
            "last_used_from",
            "first_event_id",
            "way",
        ),
        within="organization",
        exported=(
            "organization__name",
            "name",
            "prefix",
            "created_at",
            "last_used_at",
            "last_used_from",
            "expires_at",
            "revoked_at",
        ),
    ),
    Personal(
        "accounts.Organization",
        kept=("name", "slug", "billing_email"),
        plain=(
            "plan",
            "settlement",
            "timezone",
            "past_timezones",
            "two_factor",
            "unknown_people",
            "own_domains",
        ),
        why="The customer itself; its address for bills is changed before an erasure.",
    ),
    Personal("accounts.SeatTier", plain=("tier",)),
    Personal(
        "accounts.Erasure",
        kept=("code", "name", "email"),
        why="The pseudonym.",
    ),
    Personal("accounts.RetentionMark", plain=("kind",)),
    Personal("accounts.JobRun", plain=("name",)),
    # -- Libraries ---------------------------------------------------------------------
    Personal(
        "account.EmailAddress",
        person="user",
        is_deleted=True,
        own=("email",),
        exported=("email", "verified", "primary"),
    ),
    Personal("account.EmailConfirmation", own=("key",)),
    Personal(
        "mfa.Authenticator",
        person="user",
        is_deleted=True,
        own=("type", "data"),
        exported=("type", "created_at", "last_used_at"),
    ),
    # Where one is signed in, once sessions are listed.
    Personal(
        "usersessions.UserSession",
        person="user",
        is_deleted=True,
        own=("ip", "user_agent", "session_key", "data"),
        exported=("created_at", "last_seen_at", "ip", "user_agent"),
    ),
    Personal("sessions.Session", own=("session_key", "session_data")),
    Personal(
        "admin.LogEntry",
        own=("object_id",),
        texts=("object_repr", "change_message"),
    ),
    Personal("auth.Permission", plain=("name", "codename")),
    Personal("auth.Group", plain=("name",)),
    Personal("contenttypes.ContentType", plain=("app_label", "model")),
)
