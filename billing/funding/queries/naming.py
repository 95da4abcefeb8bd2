"""How members are named in the statement (X2): by e-mail address, membership id or external
id, or, by nothing, as whoever's personal token calls (X3).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from accounts.queries import is_membership_id
from config.kit.addresses import canonical_address
from config.kit.external_names import is_external_name
from config.kit.sql import in_list, list_param

MEMBER_BY_EMAIL = (
    " LEFT JOIN accounts_user u ON u.email = %s"
    " LEFT JOIN accounts_membership m ON m.organization_id = o.id AND m.user_id = u.id"
)
MEMBER_BY_ID = (
    " LEFT JOIN accounts_membership m ON m.organization_id = o.id AND m.id = %s"
    " LEFT JOIN accounts_user u ON u.id = m.user_id"
)
MEMBER_BY_EXTERNAL_ID = (
    " LEFT JOIN accounts_externalid x ON x.organization_id = o.id AND x.name = %s"
    " LEFT JOIN accounts_membership m ON m.id = x.membership_id"
    " LEFT JOIN accounts_user u ON u.id = m.user_id"
)
# Whose personal token it is; of an organization's key, nobody.
MEMBER_ITSELF = (
    " LEFT JOIN accounts_membership m ON m.organization_id = o.id"
    " AND m.id = k.membership_id"
    " LEFT JOIN accounts_user u ON u.id = m.user_id"
)
ALL_MEMBERS = (
    " JOIN accounts_membership m ON m.organization_id = o.id"
    " JOIN accounts_user u ON u.id = m.user_id"
)
NAMED_BY = (MEMBER_BY_EMAIL, MEMBER_BY_ID, MEMBER_BY_EXTERNAL_ID, MEMBER_ITSELF)


def joined_by(member: str) -> tuple[str, list[Any]]:
    """The join that finds a member as they are named, and its parameter."""
    if is_membership_id(member):
        return MEMBER_BY_ID, [int(member)]
    if is_external_name(member):
        return MEMBER_BY_EXTERNAL_ID, [member]
    if member:
        return MEMBER_BY_EMAIL, [canonical_address(member)]
    return MEMBER_ITSELF, []


def among_refs(refs: Collection[str]) -> tuple[str, list[Any]]:
    """The condition that leaves those whom `refs` name, and its parameters. What only
    few batches have is not in the others' text.
    """
    ids = [int(ref) for ref in refs if is_membership_id(ref)]
    names = external_names(refs)
    emails = [
        canonical_address(ref)
        for ref in refs
        if ref and not is_membership_id(ref) and not is_external_name(ref)
    ]
    queries = [
        "SELECT m2.id FROM accounts_membership m2 WHERE " + in_list("m2.id", "bigint"),
        "SELECT m3.id FROM accounts_user u3 JOIN accounts_membership m3 ON"
        " m3.user_id = u3.id WHERE " + in_list("u3.email", "text"),
    ]
    params = [list_param(ids), list_param(emails)]
    if names:
        queries.append(
            "SELECT x.membership_id FROM accounts_externalid x WHERE x.organization_id"
            " = o.id AND " + in_list("x.name", "text")
        )
        params.append(list_param(names))
    if "" in refs:
        queries.append("SELECT k.membership_id")
    return f" AND m.id IN ({' UNION '.join(queries)})", params


def external_names(refs: Collection[str]) -> list[str]:
    """Which of the references are external ids (X2)."""
    return [ref for ref in refs if is_external_name(ref)]
