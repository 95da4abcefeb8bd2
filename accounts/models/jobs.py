"""Scheduled jobs: when each last began, succeeded and failed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class JobRun(models.Model):
    """The last run of one job of the schedule.

    A row is known from the moment a worker first heard of the job, so that one that
    never ran is found late as well. `result` is the number that the job returned.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    created_at = models.DateTimeField(_("known since"))
    started_at = models.DateTimeField(_("last started"), null=True, blank=True)
    succeeded_at = models.DateTimeField(_("last succeeded"), null=True, blank=True)
    failed_at = models.DateTimeField(_("last failed"), null=True, blank=True)
    took_ms = models.PositiveIntegerField(_("took (ms)"), null=True, blank=True)
    result = models.BigIntegerField(_("result"), null=True, blank=True)

    class Meta:
        verbose_name = _("run of a job")
        verbose_name_plural = _("runs of jobs")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
