"""What a name may be: one visible line. One rule for every text of one line that is
printed elsewhere: in tables, mails, files and on paper.

Joiners that letters need (ZWJ in emoji, ZWNJ in Persian and Indic) are part of a name;
what breaks a line, turns its direction or can't be seen is not.
"""

from __future__ import annotations

import re
from unicodedata import bidirectional, category, normalize

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from config.kit.errors import BusinessError

# Controls, halves of characters, separators of lines and paragraphs, by category; and
# formats that turn the direction of what follows, or have no width and join nothing.
REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
WIDTHLESS = (
    "\u00ad\u034f\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f"
)
REFUSED_FORMATS = re.compile(f"[{DIRECTIONS}{WIDTHLESS}]")
# The tags that make a flag of England, Scotland or Wales: no others are part of a name.
FLAG = re.compile(
    "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,8}\U000e007f"
)
# Letters and signs that show nothing: fillers of Hangul, the empty pattern of Braille.
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")

# What programs that show mails make a link of, even inside a name.
LINK = re.compile(r"://|\bwww\.", re.IGNORECASE)

# Where letters that are read from right to left are.
MAYBE_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U0001efff]"
)
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"


class LineError(ValueError):
    """A text that is no visible line; the sentence tells whoever typed it why."""


def checked_line(text: str) -> str:
    """The text without white space around it.

    Raises LineError for a character that does not belong in one line, naming it, and for
    a text that shows nothing, but for the empty one.
    """
    line = text.strip()
    for place, character in enumerate(_with_flags_as_letters(line)):
        if is_refused(character):
            raise LineError(_refusal(line[:place], character))
    if line and not any(map(is_visible, line)):
        raise LineError(_("Enter something that can be seen."))
    return line


def _refusal(before: str, character: str) -> str:
    facts = {"code": f"U+{ord(character):04X}", "before": before[-20:]}
    if character in "\n\r\v\f\x85\u2028\u2029":
        return _("Enter one line: there is a line break after “%(before)s”.") % facts
    if not before:
        return (
            _(
                "The text begins with a character that can't be seen (%(code)s). Type it anew."
            )
            % facts
        )
    return (
        _(
            "There is a character that can't be seen (%(code)s) after “%(before)s”. Type it anew."
        )
        % facts
    )


def _with_flags_as_letters(line: str) -> str:
    """As many characters, without the tags that flags need."""
    return FLAG.sub(lambda flag: "F" * len(flag[0]), line)


def is_refused(character: str) -> bool:
    """Whether a character has no place in a line."""
    return category(character) in REFUSED_CATEGORIES or bool(
        REFUSED_FORMATS.match(character)
    )


def is_visible(character: str) -> bool:
    """Whether a character shows something by itself: no space, format or mark."""
    return category(character)[0] not in "CMZ" and character not in BLANK


def validate_line(value: str) -> None:
    """The rule for fields of forms and rows; raises ValidationError."""
    try:
        checked_line(value)
    except LineError as error:
        raise ValidationError(str(error), code="not_one_line") from error


def validate_lines(value: str) -> None:
    """The rule for each line of a text that may have several; raises ValidationError."""
    for line in _lines(value):
        validate_line(line)


def lines_of(text: str, *, field: str) -> str:
    """A text of several lines, each of which keeps the rule.

    Raises BusinessError `not_one_line` (422) at `field`.
    """
    return "\n".join(line_of(line, field=field) for line in _lines(text))


def _lines(text: str) -> list[str]:
    """The lines of a text; a tab is a space."""
    return text.strip().replace("\t", " ").splitlines()


def line_of(text: str, *, field: str, most: int | None = None) -> str:
    """The rule for acts: the line, cut to `most` characters.

    Raises BusinessError `not_one_line` (422) at `field`.
    """
    try:
        return checked_line(text)[:most].rstrip()
    except LineError as error:
        raise BusinessError(
            str(error), code="not_one_line", status=422, field=field
        ) from error


def checked_name(text: str) -> str:
    """A line that is somebody's or something's name: no link, since names stand in
    mails to people who know neither (S21). Raises LineError.
    """
    name = checked_line(text)
    if has_link(name):
        raise LineError(_("A name can't contain a link (“://” or “www.”)."))
    return name


def has_link(text: str) -> bool:
    """Whether a reader of mails would make something in the text a link, in whatever
    width its letters are typed.
    """
    return bool(LINK.search(normalize("NFKC", text)))


def validate_name(value: str) -> None:
    """The rule of names for fields of forms and rows; raises ValidationError."""
    try:
        checked_name(value)
    except LineError as error:
        raise ValidationError(str(error), code="not_a_name") from error


def validate_names(value: str) -> None:
    """The rule of names for each line of a text that may have several; raises
    ValidationError.
    """
    for line in _lines(value):
        validate_name(line)


def name_of(text: str, *, field: str, most: int | None = None) -> str:
    """The rule of names for acts: the name, cut to `most` characters.

    Raises BusinessError `not_one_line` or `has_link` (422) at `field`.
    """
    name = line_of(text, field=field, most=most)
    try:
        return checked_name(name)
    except LineError as error:
        raise BusinessError(
            str(error), code="has_link", status=422, field=field
        ) from error


def names_of(text: str, *, field: str) -> str:
    """The rule of names for each line of a text that may have several.

    Raises BusinessError `not_one_line` or `has_link` (422) at `field`.
    """
    return "\n".join(name_of(line, field=field) for line in _lines(text))


def shown_line(text: object) -> str:
    """A text that is stored already, for one line of plain text: white space joined,
    and what has no place in a line left out.
    """
    joined = " ".join(str(text).split())
    signs = zip(joined, _with_flags_as_letters(joined), strict=True)
    return "".join(sign for sign, stands_for in signs if not is_refused(stands_for))


def isolated(text: str) -> str:
    """A text that may stand beside others without turning them: an Arabic name doesn't
    move the amount after it. Others stay as they are, to the byte.
    """
    if not MAYBE_RIGHT_TO_LEFT.search(text):
        return text
    if not any(bidirectional(letter) in ("R", "AL") for letter in text):
        return text
    return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"
