"""The steps that operators take on a customer, by the name in their address."""

from __future__ import annotations

from accounts.admin.steps.access import KeysStep, MailStep, TokenStep
from accounts.admin.steps.base import KeyedForm, Preview, ReasonForm, Step, Typed
from accounts.admin.steps.details import DetailsStep
from accounts.admin.steps.domains import DomainsStep
from accounts.admin.steps.people import HandOverStep, SwitchOffStep, SwitchOnStep
from accounts.admin.steps.plan import PlanStep, SeatsStep, ZoneStep
from accounts.admin.steps.registry import STEPS, register, step_url
from accounts.admin.steps.sign_in import AddressStep, SessionsStep, TwoFactorStep
from accounts.models import AuditEntry
from accounts.panels import register_undo

__all__ = [
    "STEPS",
    "KeyedForm",
    "Preview",
    "ReasonForm",
    "Step",
    "Typed",
    "register",
    "step_url",
]

register(
    SeatsStep(),
    PlanStep(),
    ZoneStep(),
    DetailsStep(),
    HandOverStep(),
    SwitchOffStep(),
    SwitchOnStep(),
    TwoFactorStep(),
    SessionsStep(),
    AddressStep(),
    DomainsStep(),
    KeysStep(),
    TokenStep(),
    MailStep(),
)


def _before(entry: AuditEntry) -> dict[str, object] | None:
    value = entry.from_value
    return value if isinstance(value, dict) and set(value) <= EDITED else None


EDITED = {"plan", "settlement"}
register_undo("organization.edit", "plan", _before)
register_undo(
    "organization.seats",
    "seats",
    lambda entry: {entry.subject: entry.from_value or 0},
)
register_undo(
    "organization.timezone", "zone", lambda entry: {"timezone": entry.from_value}
)
register_undo(
    "organization.primary_owner",
    "hand-over",
    lambda entry: {"person": entry.from_value},
)
register_undo(
    "member.switch_off", "switch-on", lambda entry: {"person": _member_id(entry)}
)
register_undo(
    "member.switch_on", "switch-off", lambda entry: {"person": _member_id(entry)}
)
register_undo(
    "member.address",
    "address",
    lambda entry: {"person": entry.to_value, "email": entry.from_value},
)


def _member_id(entry: AuditEntry) -> str:
    return str(entry.membership_id or "")
