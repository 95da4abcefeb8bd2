"""Documents on paper: what is said comes out as text, whatever people are called.

The same document gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace

import pytest
from pypdf import PdfReader
from pypdf.generic import ContentStream

from billing.documents.print.layout import Line, PrintedDocument, pdf_of
from billing.documents.print.typst import TypesettingError, typeset
from config.kit.one_line import isolated

INVOICE = PrintedDocument(
    language="en",
    title="Invoice",
    number="ACME-0004",
    stamp="Paid",
    headline="$1,204.33 due 10 December 2026",
    seller=("Northwind Seats Ltd", "48 Harbour Street", "Bristol BS1 4RN"),
    buyer_label="Billed to",
    buyer=("Acme Robotics GmbH", "10969 Berlin, Germany"),
    facts=(("Date", "1 December 2026"), ("Period", "1–30 November 2026")),
    columns=("Member and model", "Requests", "Amount"),
    lines=(
        Line(("Ada Lovelace", "", "$1,003.61"), is_group=True),
        Line(("claude-opus-4-5", "1,204", "$1,003.61")),
    ),
    totals=(
        ("Subtotal", "$1,003.61", False),
        ("VAT 20%", "$200.72", False),
        ("Total due", "$1,204.33", True),
    ),
    notes=("Pay within ten days.",),
    right=(1,),
    page_words="Page {page} of {pages}",
    created_at=dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC),
)
HOSTILE = (
    r"#strong[x] $5 * 3_a \u{41} <tag> @ref // c /* d */ `raw` ${x} \ #panic() {{ x }}"
    r" ' \" = - +"
)


def reader(document: PrintedDocument) -> PdfReader:
    return PdfReader(io.BytesIO(pdf_of(document)))


def text_of(document: PrintedDocument) -> str:
    return "\n".join(page.extract_text() for page in reader(document).pages)


def squeezed(text: str) -> str:
    """Without white space, which says where a line was broken and nothing else."""
    return "".join(text.split())


def missing_glyphs(document: PrintedDocument) -> int:
    """How often .notdef, glyph 0, is drawn; Typst writes glyphs as two bytes."""
    missing = 0
    pdf = reader(document)
    for page in pdf.pages:
        for operands, operator in ContentStream(page.get_contents(), pdf).operations:
            if operator in (b"Tj", b"TJ"):
                pieces = operands[0] if operator == b"TJ" else operands
                for raw in (
                    piece.original_bytes
                    for piece in pieces
                    if hasattr(piece, "original_bytes")
                ):
                    missing += sum(
                        raw[i : i + 2] == b"\0\0" for i in range(0, len(raw), 2)
                    )
    return missing


def with_names(*names: str) -> PrintedDocument:
    return replace(
        INVOICE,
        lines=tuple(
            Line((name, "1", "$1.00"), is_group=i % 2 == 0)
            for i, name in enumerate(names)
        ),
    )


def test_everything_said_comes_out_as_text():
    printed = text_of(INVOICE)
    texts = [
        INVOICE.title,
        INVOICE.number,
        INVOICE.stamp,
        INVOICE.headline,
        INVOICE.buyer_label,
        *INVOICE.seller,
        *INVOICE.buyer,
        *INVOICE.columns,
        *INVOICE.notes,
        "Page 1 of 1",
    ]
    for fact in INVOICE.facts:
        texts += fact
    for line in INVOICE.lines:
        texts += line.cells
    for label, amount, _stands_out in INVOICE.totals:
        texts += [label, amount]
    assert [text for text in texts if text not in printed] == []


def test_the_file_says_its_title_author_date_and_language():
    pdf = reader(INVOICE)
    assert pdf.metadata.title == "Invoice ACME-0004"
    assert pdf.metadata.author == "Northwind Seats Ltd"
    assert pdf.metadata.creation_date == INVOICE.created_at
    assert pdf.root_object["/Lang"] == "en-US"
    assert pdf.root_object["/MarkInfo"]["/Marked"]  # tagged, for screen readers


def test_japanese_names_and_words_come_out_as_text_in_our_fonts():
    names = ("髙橋 﨑山 德川", "山本 愛子", "渡邊 さくら", "𠮷野 葛 辻")
    document = replace(
        with_names(*names),
        language="ja",
        title="請求書",
        headline="2026年12月10日までに$1,204.33のお支払い",
        stamp="支払済み",
    )
    text = squeezed(text_of(document))
    assert [
        name
        for name in (*names, document.title, document.headline)
        if squeezed(name) not in text
    ] == []
    assert missing_glyphs(document) == 0
    pdf = reader(document)
    assert pdf.root_object["/Lang"] == "ja-JP"
    fonts = {
        font["/BaseFont"].split("+")[1]
        for font in pdf.pages[0]["/Resources"]["/Font"].values()
        for font in [font.get_object()]
    }
    assert {name.split("-")[0] for name in fonts} == {"Inter", "NotoSansJP"}


def test_names_with_diacritics_greek_and_cyrillic_come_out_whole():
    names = (
        "Kowalski Łukasz",
        "Dvořák",
        "Šárka",
        "Ő",
        "Nguyễn Thị Minh Khai",
        "Ελένη",
        "Иван",
        "Þórður Ægisson",
        "O’Brien",
    )
    text = text_of(with_names(*names))
    assert [name for name in names if name not in text] == []
    assert missing_glyphs(with_names(*names)) == 0


SCRIPTS = {
    "NotoSansArabic": ("شركة النور للتجارة المحدودة", "علی‌رضا ۱۲"),
    "NotoSansHebrew": ("דוד כהן", "שָׁלוֹם"),
    "NotoSansThai": ("สมชาย ใจดี", "ปิ่น"),
    "NotoSansDevanagari": ("प्रिया शर्मा", "क्‍षत्रिय"),
    "NotoSansCJKsc": ("김철수", "张伟 喆堃祎", "龘"),
    "NotoEmoji": ("Ada 🚀👩‍💻", "🏳️‍🌈"),
}


@pytest.mark.parametrize("font", SCRIPTS)
def test_bugs_15_names_of_every_script_are_printed_with_a_font_that_has_them(font):
    names = SCRIPTS[font]
    document = replace(with_names(*names), buyer=names)
    assert missing_glyphs(document) == 0
    used = {
        font.get_object()["/BaseFont"].split("+")[1].replace("-", "")
        for page in reader(document).pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert any(name.startswith(font) for name in used), used


def test_bugs_15_a_letter_that_no_font_of_ours_has_is_an_empty_box_not_a_failure():
    document = with_names("བོད (tashi@acme.example)")
    assert missing_glyphs(document) > 0
    assert "tashi@acme.example" in text_of(document)


def positions(document: PrintedDocument) -> dict[str, float]:
    """Where each piece of text starts, from the left."""
    found: dict[str, float] = {}

    def visit(text, _matrix, matrix, _font, _size):
        if text.strip():
            found.setdefault(text.strip(), matrix[4])

    for page in reader(document).pages:
        page.extract_text(visitor_text=visit)
    return found


@pytest.mark.parametrize("name", ["علي", "דוד כהן 2", "\u202eAda", "Ada \u2067"])
def test_bugs_15_a_name_read_from_the_right_moves_nothing_beside_it(name):
    """Amounts stand where they stand beside a Latin name, and the address after the name."""
    latin, other = (
        with_names(f"{isolated(one)} (7@x.example)") for one in ("Bob", name)
    )
    assert positions(other)["$1.00"] == positions(latin)["$1.00"]
    [line] = [line for line in text_of(other).splitlines() if "7@x" in line]
    assert line.endswith(" (7@x.example) 1 $1.00")


def test_text_that_looks_like_markup_is_printed_as_it_is():
    document = PrintedDocument(
        *(
            "en",
            HOSTILE,
            HOSTILE,
            HOSTILE,
            HOSTILE,
            (HOSTILE, HOSTILE),
            HOSTILE,
            (HOSTILE,),
            ((HOSTILE, HOSTILE),),
        ),
        columns=(HOSTILE, "n", HOSTILE),
        lines=(
            Line((HOSTILE, "", HOSTILE), is_group=True),
            Line((HOSTILE, HOSTILE, HOSTILE)),
        ),
        totals=((HOSTILE, HOSTILE, False), (HOSTILE, HOSTILE, True)),
        notes=(HOSTILE,),
    )
    text = squeezed(text_of(document))
    pages = len(reader(document).pages)
    # two in each foot, two in the one table's head
    assert text.count(squeezed(HOSTILE)) == 20 + 2 * pages + 2
    assert reader(document).metadata.title == f"{HOSTILE} {HOSTILE}"


@pytest.mark.parametrize("word", ["z", "letters "])
def test_texts_of_a_thousand_characters_wrap_and_lose_nothing(word: str):
    long = word * (1000 // len(word))  # no column of ours takes more than 500
    document = replace(
        INVOICE,
        headline=long,
        seller=(long,),
        facts=((long, long),),
        lines=(Line((long, "", "$1"), is_group=True), Line((long, long, long))),
        totals=((long, long, True),),
    )
    text = text_of(document)
    assert squeezed(text).count(word.strip()) == 10 * long.count(word.strip())
    assert max(len(line) for line in text.splitlines()) < 250
    assert missing_glyphs(document) == 0


def test_control_characters_and_halves_of_characters_become_spaces():
    document = with_names(
        "a\0b\tc\x1bd", "half \ud83d", "first\nsecond", "\u202egnp.exe"
    )
    text = text_of(document)
    assert "a b c d" in text and "first\nsecond" in text
    assert missing_glyphs(document) == 0


def test_the_same_document_gives_the_same_bytes_and_another_other_bytes():
    assert pdf_of(INVOICE) == pdf_of(INVOICE)
    assert pdf_of(INVOICE) != pdf_of(replace(INVOICE, number="ACME-0005"))
    undated = replace(INVOICE, created_at=None)
    assert pdf_of(undated) == pdf_of(undated)
    assert reader(undated).metadata.creation_date is None


def test_two_hundred_lines_repeat_the_head_and_the_name_but_not_the_sum():
    lines = tuple(Line((f"model-{i}", f"{i}", f"${i}.00")) for i in range(200))
    document = replace(
        INVOICE, lines=(Line(("Ada Lovelace", "", "$19,900.00"), is_group=True), *lines)
    )
    pages = [page.extract_text() for page in reader(document).pages]
    assert len(pages) >= 5
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert page.count("Member and model") == page.count("Ada Lovelace") == 1
    assert "".join(pages).count("$19,900.00") == 1
    assert [
        i for i in range(200) if f"model-{i} {i} ${i}.00" not in "\n".join(pages)
    ] == []


def test_a_group_never_stays_alone_at_the_foot_of_a_page():
    for before in range(24, 40):
        lines = (
            *(Line(("m", "1", "$1")) for _ in range(before)),
            Line(("Grace", "", "$2"), is_group=True),
            Line(("last", "1", "$2")),
        )
        pages = [
            page.extract_text() for page in reader(replace(INVOICE, lines=lines)).pages
        ]
        assert [("Grace" in page) for page in pages] == [
            ("last" in page) for page in pages
        ], before


def test_totals_stay_together():
    for before in range(24, 40):
        document = replace(
            INVOICE, lines=tuple(Line(("m", "1", "$1")) for _ in range(before))
        )
        pages = [page.extract_text() for page in reader(document).pages]
        assert [("Subtotal" in page) for page in pages] == [
            ("Total due" in page) for page in pages
        ], before


def test_amounts_stay_whole_beside_long_texts_in_a_crowded_table():
    long = (
        "Extra usage of Maximiliane Freifrau von Hohenstein,"
        " claude-sonnet-4-5-20250929-extended-context-1m"
    )
    amounts = ("1,204,334", "12,000,000", "$3.00", "-$1,204.33", "$112,204.33")
    heads = (
        "Date",
        "Entry",
        "Model",
        "Input tokens",
        "Cache read tokens",
        "Rate",
        "Amount",
        "Running balance",
    )
    lines = (Line(("27 Nov 2026", long, long, *amounts)),)
    text = text_of(replace(INVOICE, columns=heads, right=(3, 4, 5, 6), lines=lines))
    assert [amount for amount in amounts if amount not in text] == []


def test_a_document_of_nothing_but_a_name_is_still_a_page():
    bare = PrintedDocument(
        "en", "Statement", "", "", "", (), "", (), (), ("Item", "Amount"), (), (), ()
    )
    assert "Statement" in text_of(bare) and "1 / 1" in text_of(bare)
    assert "Statement" in text_of(replace(bare, columns=()))
    assert "Grace" in text_of(
        replace(bare, lines=(Line(("Grace", "$2"), is_group=True),))
    )


def test_a_line_with_too_few_cells_is_refused():
    with pytest.raises(ValueError, match="one cell for each column"):
        pdf_of(replace(INVOICE, lines=(Line(("a", "b")),)))


def test_a_template_that_fails_says_why(tmp_path):
    (tmp_path / "bad.typ").write_text("#panic(sys.inputs.document)")
    with pytest.raises(TypesettingError, match="no such luck"):
        typeset("no such luck", template=tmp_path / "bad.typ", fonts=[], timestamp=0)
