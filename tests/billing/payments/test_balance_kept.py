"""Every change of a balance is kept with who, from and to (C8)."""

from __future__ import annotations

from accounts.audit import audit_row
from accounts.models import AuditEntry
from billing.payments import processing
from billing.payments.actions.cards import save_card
from billing.payments.actions.credits import post_credit
from billing.payments.gateways.base import Card
from config.kit.money import usd
from tests.factories.balances import bea_of, buy
from tests.factories.people import make_user


def kept(bolt, action):
    """Who, about, from and to of the latest entry with this action."""
    entries = AuditEntry.objects.filter(organization=bolt, action=action)
    row = audit_row(entries.select_related("actor").latest("pk"))
    return row.who, row.subject, row.before, row.after


def test_c8_purchases_credits_corrections_and_refunds_are_kept(bolt, now):
    olga = make_user("olga@operator.example", "Olga", is_staff=True)
    payment = buy(bolt, "100", now=now)
    assert kept(bolt, "balance.purchase") == (
        "Bea Solano",
        "Visa 4242",
        "$0.00",
        "$100.00",
    )
    by = {"operator": olga, "now": now}
    post_credit(bolt, amount_nanos=usd(5), reason="Sorry", **by)
    assert kept(bolt, "balance.credit") == ("Olga", "Sorry", "$100.00", "$105.00")
    post_credit(bolt, amount_nanos=-usd(2), reason="Too much", **by)
    after = ("Olga", "Too much", "$105.00", "$103.00")
    assert kept(bolt, "balance.adjustment") == after
    processing.refund(payment, amount_nanos=usd(3), reason="Asked for", **by)
    assert kept(bolt, "balance.refund") == ("Olga", "Asked for", "$103.00", "$100.00")


def test_c8_the_same_card_again_is_no_change_and_a_renewed_one_is(bolt, now):
    card = Card("customer-bolt", "card_1", "Visa", "0341", now.date())
    for _again in range(2):
        save_card(bolt, card=card, actor=bea_of(bolt), now=now)
    renewed = Card("customer-bolt", "card_2", "Visa", "0341", now.date().replace(2030))
    save_card(bolt, card=renewed, actor=bea_of(bolt), now=now)
    assert AuditEntry.objects.filter(action="balance.card").count() == 3
    assert kept(bolt, "balance.card")[2:] == (
        "Visa 0341, expires 11/2026",
        "Visa 0341, expires 11/2030",
    )
