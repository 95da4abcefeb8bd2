"""A reader's look at an organization that may prepay: its balance beside its month."""

from __future__ import annotations

from functools import cached_property
from typing import Self

from django.http import Http404
from django.utils import timezone

from accounts.models import Membership
from billing.payments.queries.balance import BalanceSummary, balance_summary
from billing.payments.words.banner import BalanceBanner, balance_banner
from billing.reports.reader import Reader


class BalanceReader(Reader):
    """The balance at the same moment as everything else the reader sees."""

    @cached_property
    def balance(self) -> BalanceSummary:
        """The balance of a prepaid organization."""
        return balance_summary(self.standing, self.summary, now=self.now)

    @cached_property
    def banner(self) -> BalanceBanner | None:
        """The one banner that matters above the balance."""
        return balance_banner(
            self.balance, self.standing, can_edit=self.can_edit, now=self.now
        )

    @property
    def shows_balance(self) -> bool:
        """Prepaid, and there is something to show or to buy for."""
        return self.is_prepaid and (self.is_on or self.balance.has_any)

    @classmethod
    def of_prepaid(cls, membership: Membership) -> Self:
        """A look at a prepaid organization now.

        Raises Http404 where usage is billed after the month.
        """
        reader = cls(membership, timezone.now())
        if not reader.is_prepaid:
            raise Http404
        return reader
