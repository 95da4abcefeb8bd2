"""Twelve tasks of support from the start page, in at most four presses each: only links
and forms that stand on the pages are followed. Typing shows the preview, as in a browser.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts.actions.audit import Actor
from accounts.actions.looking import begin_look
from accounts.models import OutgoingMail, SeatTier
from billing.metering.actions.recording import record_usage
from billing.models import (
    CreditNote,
    Invoice,
    LedgerEntry,
    ModelAlias,
    Refund,
    UsageAdjustment,
)
from tests.customer.conftest import signed_in, text_of
from tests.factories.balances import buy, make_bolt
from tests.factories.documents import CLOSES, close_november, use_november
from tests.factories.usage import event

WHY = {"reason": "Ticket 8841"}


class Page(HTMLParser):
    """Links by their words and forms with their fields, of one page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[list[str]] = []
        self.forms: list[dict[str, str]] = []
        self.actions: list[tuple[str, str]] = []
        self.is_in_link = False
        self.select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(["", said.get("href", "")])
            self.is_in_link = True
        elif tag == "form":
            self.actions.append((said.get("method", "get"), said.get("action", "")))
            self.forms.append({})
        elif tag == "select":
            self.select = said.get("name", "")
        elif tag == "option" and self.forms and self.select:
            self._chosen(said)
        elif tag == "input" and self.forms and "name" in said:
            is_off = said.get("type") in ("radio", "checkbox") and "checked" not in said
            self.forms[-1].setdefault(said["name"], "")
            if not is_off:
                self.forms[-1][said["name"]] = said.get("value", "")

    def _chosen(self, said: dict[str, str]) -> None:
        if "selected" in said or self.select not in self.forms[-1]:
            self.forms[-1][self.select] = said.get("value", "")

    def handle_data(self, data: str) -> None:
        if self.is_in_link:
            self.links[-1][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.is_in_link = False
        elif tag == "select":
            self.select = ""


class Operator:
    """Somebody at the start page, whose presses are counted."""

    def __init__(self, browser: Client) -> None:
        self.browser, self.presses = browser, 0
        self.answer = browser.get("/admin/")
        self.path = "/admin/"

    @property
    def page(self) -> Page:
        """What is on the screen."""
        return Page(self.answer.content.decode())

    def follow(self, words: str) -> None:
        """Press the link that says so, or the first that has it in its words."""
        links = [(" ".join(text.split()), href) for text, href in self.page.links]
        found = [href for text, href in links if text == words]
        found += [href for text, href in links if words in text]
        found = [href for href in found if href.startswith("/admin/")]
        assert found, (words, self.path, self.page.links)
        self._go(self.browser.get(found[0], follow=True), found[0])

    def search(self, text: str) -> None:
        """Type into the search of this page, and press Enter."""
        number = [action for _way, action in self.page.actions].index("/admin/search/")
        fields = self.page.forms[number] | {"q": text}
        self._go(self.browser.get("/admin/search/", fields), "/admin/search/")

    def send(self, asks: str, **typed: str) -> None:
        """Fill in the form that asks for this; its preview comes while typing, then press
        its button.
        """
        number = [asks in fields for fields in self.page.forms].index(True)
        method, action = self.page.actions[number]
        assert method == "post"
        address = action or self.path
        sent = self.page.forms[number]
        assert typed.keys() <= sent.keys(), (typed, sent)
        sent = sent | typed
        if 'hx-post="' in self.answer.content.decode():
            shown = self.browser.post(address, sent, headers={"HX-Request": "true"})
            seen = re.search(r'name="seen" value="(\w+)"', shown.content.decode())
            assert seen, text_of(shown)
            sent = sent | {"seen": seen[1]}
        self._go(self.browser.post(address, sent, follow=True), address)

    def _go(self, answer, address: str) -> None:
        self.presses += 1
        assert answer.status_code == 200, (address, answer.status_code)
        chain = getattr(answer, "redirect_chain", [])
        self.answer, self.path = answer, chain[-1][0] if chain else address


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)
    return time_machine


@pytest.fixture
def at_start(acme):
    """An administrator looks at the start page."""

    def sits() -> Operator:
        return Operator(signed_in("Administrators"))

    return sits


def test_a_person_is_found_and_their_sessions_end(at_start, bob, now):
    UserSession.objects.create(
        user=bob.user, session_key="k" * 32, ip="127.0.0.1", last_seen_at=now
    )
    operator = at_start()
    operator.search("bob@acme.example")
    operator.follow("Bob Feld")
    operator.follow("End sessions")
    operator.send("person", **WHY)
    assert not UserSession.objects.filter(user=bob.user).exists()
    assert operator.presses <= 4


def test_two_factor_is_reset(at_start, bob):
    Authenticator.objects.create(user=bob.user, type="totp", data={})
    operator = at_start()
    operator.search("bob@acme.example")
    operator.follow("Bob Feld")
    operator.follow("Reset two-factor")
    operator.send("person", **WHY)
    assert not Authenticator.objects.filter(user=bob.user).exists()
    assert operator.presses <= 4


def test_a_customer_gets_a_credit(at_start, now):
    bolt = make_bolt(now=now)
    operator = at_start()
    operator.search("bolt")
    operator.follow("Bolt")
    operator.follow("Give a credit")
    operator.send("amount", amount="25", **WHY)
    assert LedgerEntry.objects.get(organization=bolt, kind="credit")
    assert operator.presses <= 4


def test_a_purchase_is_refunded(at_start, now):
    buy(make_bolt(now=now), "50", now=now)
    operator = at_start()
    operator.search("bolt")
    operator.follow("Bolt")
    operator.follow("Refund")
    operator.send("amount", amount="20", **WHY)
    assert Refund.objects.exists()
    assert operator.presses <= 4


@pytest.fixture
def invoice(acme, now, _at) -> Invoice:
    """November's, open."""
    use_november(acme, at=now)
    _at.move_to(CLOSES + dt.timedelta(hours=1), tick=False)
    return close_november(acme)


def test_an_invoice_is_voided(at_start, invoice):
    operator = at_start()
    operator.search(invoice.number)
    operator.follow(invoice.number)
    operator.follow("Void")
    operator.send("invoice", invoice=str(invoice.pk), **WHY)
    invoice.refresh_from_db()
    assert invoice.status == "void"
    assert operator.presses <= 4


def test_a_credit_note_is_issued(at_start, invoice):
    operator = at_start()
    operator.search(invoice.number)
    operator.follow(invoice.number)
    operator.follow("Credit note")
    operator.send("amount", amount="10", **WHY)
    assert CreditNote.objects.get().invoice == invoice
    assert operator.presses <= 4


def test_a_mail_is_sent_again(at_start, acme, now):
    [first] = begin_look(acme, actor=Actor(label="test", reason="x"), now=now)
    OutgoingMail.objects.filter(pk=first).update(dropped_at=now, last_error="550")
    operator = at_start()
    operator.search("acme")
    operator.follow("Acme")
    operator.follow("Send a mail again")
    operator.send("mail", mail=str(first), **WHY)
    assert OutgoingMail.objects.count() == 2
    assert operator.presses <= 4


def test_an_unknown_model_is_the_same_as_a_known_one(at_start, acme, bob, now):
    unknown = replace(event(bob, usd="1", at=now), model="claude-sonet-5x")
    record_usage([unknown], organization_id=acme.pk, now=now)
    operator = at_start()
    operator.send("same_as", same_as="anthropic/claude-sonnet-5")
    operator.send("same_as", **WHY)
    assert ModelAlias.objects.filter(name="claude-sonet-5x").exists()
    assert operator.presses <= 4


def test_seats_are_raised(at_start, acme):
    operator = at_start()
    operator.search("acme")
    operator.follow("Acme")
    operator.follow("Seats")
    operator.send("standard", standard="60", **WHY)
    assert SeatTier.objects.get(organization=acme, tier="standard").bought == 60
    assert operator.presses <= 4


def test_the_primary_owner_is_handed_over(at_start, acme, ada):
    operator = at_start()
    operator.search("acme")
    operator.follow("Acme")
    operator.follow("Hand over primary owner")
    operator.send("person", person="ada@acme.example", **WHY)
    acme.refresh_from_db()
    assert acme.primary_owner == ada.user
    assert operator.presses <= 4


def test_an_event_is_found_by_its_id_and_waived(at_start, acme, now):
    use_november(acme, at=now)
    operator = at_start()
    operator.search("bob-code")
    operator.follow("claude-sonnet-5")
    operator.follow("Adjust")
    operator.send("event", way="waive", **WHY)
    assert UsageAdjustment.objects.get().event.event_id == "bob-code"
    assert operator.presses <= 4


def test_an_operator_sees_what_the_owner_sees(at_start, acme):
    operator = at_start()
    operator.follow("Acme")
    operator.follow("See what the owner sees")
    operator.send("reason", **WHY)
    assert "Read-only, as Alice Nakamura" in text_of(operator.answer)
    assert operator.presses <= 4
