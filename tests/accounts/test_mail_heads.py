"""Heads of mails say nothing that a name smuggles in (S21)."""

from __future__ import annotations

from email.header import decode_header, make_header

import pytest
from django.core import mail as box

from config.kit.letters import Letter, Press
from config.kit.mailer import send

SMUGGLED = "=?utf-8?q?ceo=40bank.example=0d=0aBcc:_x?="


def sent(name: str) -> dict[str, str]:
    """The heads of a mail about an organization, as a mail program shows them."""
    letter = Letter(name, [name], Press("Show", "http://x.example/"), name, name=name)
    send(
        "letter",
        to="bob@acme.example",
        language="en",
        context={"letter": letter},
        sender=name,
    )
    message = box.outbox[-1].message()
    return {
        head: str(make_header(decode_header(str(message[head]))))
        for head in ("From", "Subject")
    }


@pytest.mark.parametrize("name", [SMUGGLED, "ceo＠bank.example", "ceo@bank.example"])
def test_s21_a_name_that_reads_as_an_address_is_no_sender(name):
    assert sent(name)["From"] == "Extra usage <usage@localhost>"


def test_s21_an_encoded_word_in_a_name_is_not_decoded_in_the_subject():
    subject = sent(SMUGGLED)["Subject"]
    assert "@" not in subject and "\n" not in subject
    assert subject.startswith("= ?utf-8?q?ceo=40bank")


def test_s21_an_ordinary_name_is_the_sender_in_whatever_letters():
    assert sent("Acme, Inc.")["From"] == (
        '"Acme, Inc. via Extra usage" <usage@localhost>'
    )
    assert sent("株式会社アクメ")["From"].startswith("株式会社アクメ via Extra usage")
