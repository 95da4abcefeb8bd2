"""How movements of a balance read on the Activity page: the balance before and after."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from accounts.audit import describes, register_changes
from billing.models import EntryKind
from config.kit.money import format_usd

# Kinds whose name alone would read like another change; all others go by their name.
NAMES = {
    EntryKind.RELOAD: gettext_lazy("Auto-reload purchase"),
    EntryKind.ADJUSTMENT: gettext_lazy("Balance adjustment"),
}
ACTIONS = {
    f"balance.{kind.value}": NAMES.get(kind, kind.label)
    for kind in EntryKind
    if kind != EntryKind.CHARGE
}
register_changes(ACTIONS)


@describes(*ACTIONS, amount=int)
def balance_text(value: int) -> str:
    """What the balance was, or came to, kept in nano-USD."""
    return format_usd(value)
