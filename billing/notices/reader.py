"""Notices as one reader sees them: in words, new or not, with what helps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from billing.models import Notice, NoticeDelivery, NoticeKind
from billing.notices.words import (
    NoticeWords,
    Pace,
    Press,
    notice_words,
    presses,
    still_holds,
)
from billing.reports.reader import Reader
from config.kit.fields import typed_amount


@dataclass(frozen=True, slots=True)
class Entry:
    """One notice in a list: `helps` are buttons, on one entry alone; `press` is a link,
    on the others that still hold.
    """

    notice: Notice
    words: NoticeWords
    at: dt.datetime
    is_new: bool
    holds: bool
    helps: tuple[Press, ...] = ()
    press: Press | None = None


class NoticeReader(Reader):
    """One person's look at what they were told."""

    @property
    def zone(self) -> str:
        """The zone in force in the organization."""
        return str(self.organization.zone_at(self.now))

    @cached_property
    def month_on(self) -> dt.date:
        """The month that runs."""
        first_on: dt.date = self.organization.calendar.month_at(self.now).first_on
        return first_on

    @cached_property
    def pace(self) -> Pace:
        """Where the organization's month goes."""
        verdict = self.summary.verdict
        return Pace(verdict.projected_nanos, verdict.lasting_nanos)

    def entries(self, told: Iterable[NoticeDelivery]) -> list[Entry]:
        """What they were told, in words; the first that still holds has the buttons."""
        entries: list[Entry] = []
        for one in told:
            is_first = not any(entry.helps for entry in entries)
            entries.append(self._entry(one, has_buttons=is_first))
        return entries

    def _entry(self, told: NoticeDelivery, *, has_buttons: bool) -> Entry:
        notice = told.notice
        holds = still_holds(notice, month_on=self.month_on, now=self.now)
        pace = self._pace_of(notice) if holds and has_buttons else None
        lasting = typed_amount(pace.lasting_nanos) if pace else ""
        helps = (
            presses(notice, reader=self.membership, lasting=lasting) if holds else []
        )
        return Entry(
            notice,
            notice_words(notice, reader=self.membership, now=self.now, pace=pace),
            notice.created_at,
            is_new=told.seen_at is None and notice.overtaken_at is None,
            holds=holds,
            helps=tuple(helps) if has_buttons else (),
            press=helps[0] if helps and not has_buttons else None,
        )

    def _pace_of(self, notice: Notice) -> Pace | None:
        """Only of the organization's cap: two queries, once a page."""
        return self.pace if notice.kind == NoticeKind.ORGANIZATION_CAP else None
