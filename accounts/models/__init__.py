"""Tables of organizations and people, re-exported so that others import `accounts.models`."""

from .api_keys import ApiKey, Scope
from .audit import AuditEntry
from .mails import OutgoingMail
from .organizations import Organization, Plan, SeatTier, Settlement, Tier
from .people import Invitation, Membership, Role, User

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Invitation",
    "Membership",
    "Organization",
    "OutgoingMail",
    "Plan",
    "Role",
    "Scope",
    "SeatTier",
    "Settlement",
    "Tier",
    "User",
]
