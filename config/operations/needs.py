"""What needs an operator among jobs: those that are late, and books that differ."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import JobRun
from accounts.operators.needs import Act, Need, register_needs
from config.operations.lateness import JobState, lagging_jobs
from config.operations.words import job_label

AUDIT = "audit-books"
NAMED = 4


def late_jobs(now: dt.datetime) -> Iterator[Need]:
    """One row for all jobs that are late, with their names; `now` is a UTC instant."""
    late = lagging_jobs(now)
    if not late:
        return
    sentence = ngettext("%(jobs)d job is late", "%(jobs)d jobs are late", len(late))
    since = [job.due_by for job in late if job.due_by is not None]
    yield Need(
        sentence % {"jobs": len(late)},
        _late_names(late),
        min(since, default=None),
        "history",
        (Act(_("Show the jobs"), f"{reverse('admin:index')}#jobs"),),
    )


def _late_names(late: list[JobState]) -> str:
    """The first few by their names; the list of jobs has the rest."""
    shown = ", ".join(job_label(job.name) for job in late[:NAMED])
    if len(late) <= NAMED:
        return shown
    words = {"names": shown, "number": len(late) - NAMED}
    return _("%(names)s and %(number)d more") % words


def books_that_differ(now: dt.datetime) -> Iterator[Need]:
    """What the last proof of the books found, if it found anything."""
    audit = JobRun.objects.filter(name=AUDIT, result__gt=0).first()
    if audit is None:
        return
    sentence = ngettext(
        "The books differ from their events in %(places)d place",
        "The books differ from their events in %(places)d places",
        audit.result or 0,
    )
    yield Need(
        sentence % {"places": audit.result},
        _("manage.py audit_books lists them"),
        audit.succeeded_at,
        "alert-triangle",
        has_stopped=True,
    )


register_needs(
    "late_jobs",
    late_jobs,
    label=gettext_lazy("Late jobs"),
    permission="accounts.view_organization",
)
register_needs(
    "books_that_differ",
    books_that_differ,
    label=gettext_lazy("The proof of the books"),
    permission="accounts.view_organization",
)
