"""Japanese is whole: every message translated, placeholders kept, and the compiled file
says what the source says.
"""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

FOLDER = Path(__file__).resolve().parents[2] / "locale/ja/LC_MESSAGES"
PLACE = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The source file of the Japanese messages."""
    with (FOLDER / "django.po").open("rb") as source:
        return read_po(source, locale="ja")


def texts(message: Message) -> list[tuple[str, str]]:
    """Original and translation; Japanese has one form where English has two."""
    if isinstance(message.id, (list, tuple)):
        return [(message.id[-1], one) for one in message.string]
    return [(message.id, message.string)]


def test_every_message_has_a_translation_that_nobody_doubts(catalog):
    messages = [message for message in catalog if message.id]
    assert len(messages) > 300
    assert [
        message.id
        for message in messages
        if message.fuzzy or not all(ja for _en, ja in texts(message))
    ] == []


def test_translations_keep_their_placeholders(catalog):
    # A count may be left out of neither; its order is free.
    broken = [
        (en, ja)
        for message in catalog
        if message.id
        for en, ja in texts(message)
        if sorted(set(PLACE.findall(en))) != sorted(set(PLACE.findall(ja)))
    ]
    assert broken == []


def test_the_compiled_file_is_current(catalog):
    with (FOLDER / "django.mo").open("rb") as compiled:
        known = gettext.GNUTranslations(compiled)
    old = []
    for message in catalog:
        if message.id and not message.fuzzy and message.string:
            en, ja = texts(message)[0]
            said = (
                known.pgettext(message.context, en)
                if message.context
                else known.gettext(en)
            )
            if isinstance(message.id, (list, tuple)):
                said = (
                    known.npgettext(message.context, *message.id, 2)
                    if message.context
                    else known.ngettext(*message.id, 2)
                )
            old += [en] if said != ja else []
    assert old == []
