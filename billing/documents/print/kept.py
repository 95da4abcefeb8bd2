"""Printed documents, kept: what was typeset once is not typeset again for a week.

A PDF is kept under the digest of everything it is made of: texts, language, date,
template, fonts and Typst itself. So a document that is paid, reopened or read in another
language is another one, and nothing has to be thrown away. What is beyond the bounds of
one document is known for some minutes, so that pressing again costs nothing.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version

import structlog
from django.core.cache import caches

from billing.documents.print.fonts import font_folders
from billing.documents.print.layout import (
    TEMPLATE,
    PrintedDocument,
    pdf_of,
    texts_of,
)
from billing.documents.print.typst import BeyondBounds

log = structlog.get_logger(__name__)
WEEK_SECONDS = 7 * 86_400
LARGEST = 5_000_000  # bytes; what is larger is made anew
FAILED_SECONDS = 300
FAILED = b""


def kept_pdf(document: PrintedDocument) -> bytes:
    """The document as PDF, from the cache where it is there.

    Raises what `pdf_of` raises.
    """
    key = _key(document)
    kept = _kept(key)
    if kept == FAILED:
        raise BeyondBounds("It was beyond its bounds a moment ago.")
    if kept is not None:
        return kept
    try:
        pdf = pdf_of(document)
    except BeyondBounds as error:
        log.error("document.beyond_bounds", number=document.number, error=str(error))
        _keep(key, FAILED, seconds=FAILED_SECONDS)
        raise
    if len(pdf) <= LARGEST:
        _keep(key, pdf)
    return pdf


def _key(document: PrintedDocument) -> str:
    made_of = "\0".join([texts_of(document), str(document.created_at), _engine()])
    return hashlib.sha256(made_of.encode()).hexdigest()


@lru_cache(maxsize=1)
def _engine() -> str:
    """What turns texts into a page, in this process' version of it."""
    fonts = sorted(
        f"{path.name}:{path.stat().st_size}"
        for folder in font_folders()
        for path in folder.iterdir()
        if path.is_file()
    )
    template = hashlib.sha256(TEMPLATE.read_bytes()).hexdigest()
    return "\n".join([version("typst"), template, *fonts])


def _kept(key: str) -> bytes | None:
    try:
        return caches["documents"].get(key)
    except OSError as error:
        log.warning("document.cache_unreadable", error=str(error))
        return None


def _keep(key: str, pdf: bytes, *, seconds: int = WEEK_SECONDS) -> None:
    """A full or read-only disk costs time and nothing else."""
    try:
        caches["documents"].set(key, pdf, timeout=seconds)
    except OSError as error:
        log.warning("document.cache_unwritable", error=str(error))
