"""What the steps on months share: the choice of one, and the database's clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.admin.steps import ReasonForm
from config.kit.clock import ClockIsOff, database_now
from config.kit.dates import month_text
from config.kit.errors import BusinessError
from config.kit.months import month_from_text


class MonthForm(ReasonForm):
    """Which month, as YYYY-MM."""

    month = forms.ChoiceField(label=gettext_lazy("Month"), widget=forms.RadioSelect)

    def months(self) -> Iterator[dt.date]:
        """The months to choose from."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Each by its name."""
        self.fields["month"].choices = [  # type: ignore[attr-defined]
            (f"{month_on:%Y-%m}", month_text(month_on)) for month_on in self.months()
        ]

    def clean_month(self) -> dt.date:
        """Its first day."""
        month_on = month_from_text(self.cleaned_data["month"])
        assert month_on is not None
        return month_on


def clock() -> dt.datetime:
    """The database's, to show what can be done; where the hosts differ, what is pressed
    is refused.
    """
    try:
        return database_now()
    except ClockIsOff as error:
        return timezone.now() - dt.timedelta(seconds=error.seconds)


def clock_or_refuse() -> dt.datetime:
    """Raises BusinessError `clock_is_off` on a host that closes nothing."""
    try:
        return database_now()
    except ClockIsOff as error:
        raise BusinessError(str(error), code="clock_is_off", field="month") from error
