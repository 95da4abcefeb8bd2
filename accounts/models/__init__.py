"""Tables of organizations and people, re-exported so that others import `accounts.models`."""

from accounts.models.addresses import FormerAddress
from accounts.models.api_keys import NOTICE, SHARED_SCOPES, ApiKey, Scope
from accounts.models.audit import AuditEntry
from accounts.models.external_ids import ExternalId
from accounts.models.jobs import JobRun
from accounts.models.mails import OutgoingMail
from accounts.models.organizations import (
    Organization,
    Plan,
    SeatTier,
    Settlement,
    Tier,
    TwoFactor,
    UnknownPeople,
)
from accounts.models.people import (
    NOBODYS_ADDRESS,
    NOBODYS_NAME,
    Invitation,
    Membership,
    Role,
    User,
)
from accounts.models.privacy import Erasure, RetentionMark
from accounts.models.security import SecurityEvent

__all__ = [
    "NOBODYS_ADDRESS",
    "NOBODYS_NAME",
    "NOTICE",
    "SHARED_SCOPES",
    "ApiKey",
    "AuditEntry",
    "Erasure",
    "ExternalId",
    "FormerAddress",
    "Invitation",
    "JobRun",
    "Membership",
    "Organization",
    "OutgoingMail",
    "Plan",
    "RetentionMark",
    "Role",
    "Scope",
    "SeatTier",
    "SecurityEvent",
    "Settlement",
    "Tier",
    "TwoFactor",
    "UnknownPeople",
    "User",
]
