"""Tables of organizations and people, re-exported so that others import `accounts.models`."""

from accounts.models.addresses import FormerAddress
from accounts.models.api_keys import ApiKey, Scope
from accounts.models.audit import AuditEntry
from accounts.models.mails import OutgoingMail
from accounts.models.organizations import Organization, Plan, SeatTier, Settlement, Tier
from accounts.models.people import Invitation, Membership, Role, User

__all__ = [
    "ApiKey",
    "AuditEntry",
    "FormerAddress",
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
