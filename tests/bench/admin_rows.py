"""Rows in bulk for the measurement of operators' pages, written by PostgreSQL itself.

They look like the product's own as far as lists and searches are concerned; the books
don't add up. For an empty database of its own only.
"""

from __future__ import annotations

from django.db import connection

MEMBERS, EVENTS, ROWS = 10_000, 3_000_000, 200_000
# What a column takes that nobody names, by its type.
PLAIN = {
    "bigint": "0",
    "integer": "0",
    "smallint": "0",
    "boolean": "false",
    "date": "DATE '2026-11-01'",
    "jsonb": "'{}'::jsonb",
    "timestamp with time zone": "now()",
}
COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s AND is_nullable = 'NO'
      AND is_identity = 'NO'
"""
AT = "now() - g * INTERVAL '3 seconds'"
ORGANIZATION = "1 + g % 3"
MEMBER = f"1 + g % {MEMBERS}"
# Table, how many, and what is said of some columns for the g-th row.
TABLES: list[tuple[str, int, dict[str, str]]] = [
    (
        "accounts_user",
        MEMBERS,
        {
            "email": "'m' || g || '@big.example'",
            "name": "'Member ' || g",
            "is_active": "true",
        },
    ),
    (
        "accounts_organization",
        3,
        {
            "slug": "(ARRAY['big', 'middle', 'small'])[g]",
            "name": "'Organization ' || g",
            "plan": "'enterprise_seat'",
            "settlement": "'prepaid'",
            "timezone": "'UTC'",
            "primary_owner_id": "g",
            "past_timezones": "'[]'::jsonb",
        },
    ),
    (
        "accounts_membership",
        MEMBERS,
        {
            "user_id": "g",
            "organization_id": "1",
            "base_role": "'member'",
            "status": "'active'",
            "past_seats": "'[]'::jsonb",
        },
    ),
    (
        "billing_usageevent",
        EVENTS,
        {
            "organization_id": ORGANIZATION,
            "membership_id": MEMBER,
            "event_id": "'event-' || g",
            "content_digest": "md5(g::text)",
            "surface": "(ARRAY['claude_code', 'claude'])[1 + g % 2]",
            "model": "(ARRAY['claude-opus-4-8', 'claude-sonnet-5', 'gpt-5'])[1 + g % 3]",
            "seat_tier": "'standard'",
            "occurred_at": AT,
            "recorded_at": AT,
            "month_on": f"date_trunc('month', {AT})::date",
            "day_on": f"({AT})::date",
            "cost_nanos": "g::bigint * 1000",
            "funding": "(ARRAY['included', 'extra_usage'])[1 + g % 2]",
            "funding_why": "'checked'",
            "price_id": "1",
        },
    ),
    (
        "billing_usageadjustment",
        ROWS,
        {
            "organization_id": ORGANIZATION,
            "membership_id": MEMBER,
            "event_id": "g",
            "source": "'operator'",
            "key": "'k' || g",
            "created_at": AT,
        },
    ),
    (
        "accounts_auditentry",
        ROWS,
        {
            "organization_id": ORGANIZATION,
            "action": "'cap.member'",
            "subject": "'Member ' || g",
            "at": AT,
        },
    ),
    (
        "accounts_securityevent",
        ROWS,
        {"kind": "'sign_in_failed'", "person_id": MEMBER, "at": AT},
    ),
    (
        "accounts_outgoingmail",
        ROWS,
        {
            "organization_id": ORGANIZATION,
            "user_id": MEMBER,
            "kind": "'requests.digest'",
            "key": "'key-' || g",
            "message_id": "'<' || g || '@x>'",
            "created_at": AT,
            "sent_at": AT,
        },
    ),
    (
        "accounts_invitation",
        ROWS,
        {
            "organization_id": ORGANIZATION,
            "email": "'i' || g || '@big.example'",
            "token_digest": "md5(g::text)",
            "invited_by_id": MEMBER,
            "base_role": "'member'",
            "revoked_at": AT,
            "created_at": AT,
        },
    ),
    (
        "billing_membermonth",
        ROWS,
        {
            "membership_id": MEMBER,
            "month_on": f"(DATE '2026-11-01' - (g / {MEMBERS}) * INTERVAL '1 month')::date",
        },
    ),
    (
        "billing_includedwindow",
        ROWS,
        {
            "membership_id": MEMBER,
            "name": f"'w' || g / {MEMBERS}",
            "opened_at": AT,
            "resets_at": f"{AT} + INTERVAL '5 hours'",
            "is_latest": f"g <= {MEMBERS}",
        },
    ),
    (
        "billing_spendcap",
        MEMBERS,
        {
            "organization_id": "1",
            "membership_id": "g",
            "level": "'member'",
            "amount_nanos": "1000000000",
        },
    ),
    (
        "billing_ledgerentry",
        ROWS,
        {
            "organization_id": ORGANIZATION,
            "kind": "'charge'",
            "key": "'k' || g",
            "membership_id": MEMBER,
            "amount_nanos": "-1000",
            "day_on": f"({AT})::date",
            "created_at": AT,
        },
    ),
    (
        "billing_payment",
        ROWS,
        {
            "organization_id": ORGANIZATION,
            "key": "'pay-' || g",
            "gateway": "'stripe'",
            "gateway_id": "'pi_' || g",
            "status": "'succeeded'",
            "purpose": "'purchase'",
            "amount_nanos": "20000000000",
            "created_at": AT,
            "settled_at": AT,
        },
    ),
    (
        "billing_invoice",
        ROWS,
        {
            "organization_id": ORGANIZATION,
            "number": "'R-' || g",
            "sequence": "g",
            "status": "'paid'",
            "zone": "'UTC'",
            "month_on": "DATE '2026-11-01' - g::int",
            "issued_at": AT,
            "settled_at": AT,
        },
    ),
    (
        "requests_inbox_usagerequest",
        ROWS,
        {
            "organization_id": "1",
            "membership_id": MEMBER,
            "status": "'approved'",
            "created_at": AT,
            "ended_at": AT,
        },
    ),
]


def insert(table: str, count: int, said: dict[str, str]) -> None:
    """`count` rows of a table, all others of its columns plain."""
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [table])
        needed = {name: PLAIN.get(kind, "''") for name, kind in cursor.fetchall()}
        values = {**needed, **said}
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(values)}) "
            f"SELECT {', '.join(values.values())} FROM generate_series(1, {count}) AS g"
        )


def fill() -> None:
    """Every table, without triggers and foreign keys, and what the planner knows of them."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    for table, count, said in TABLES:
        insert(table, count, said)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
