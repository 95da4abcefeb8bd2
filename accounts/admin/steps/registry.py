"""The steps there are, by the name in their address. Rooms above add their own when their
pages are loaded.
"""

from __future__ import annotations

from functools import partial

from django.urls import reverse

from accounts.admin.steps.base import Step
from accounts.models import Organization
from accounts.panels import StepLink, register_steps

STEPS: dict[str, Step] = {}


def register(*steps: Step) -> None:
    """Open the pages of steps, and show them on every customer's page."""
    STEPS.update({step.name: step for step in steps})
    register_steps(*map(_link, steps))


def step_url(name: str, organization: Organization) -> str:
    """Where a step is taken."""
    return reverse("admin:customer_step", args=[organization.pk, name])


def _link(step: Step) -> StepLink:
    return StepLink(
        name=step.name,
        label=step.label,
        icon=step.icon,
        group=step.group,
        permission=step.permission,
        url=partial(step_url, step.name),
        order=step.order,
        is_danger=step.is_danger,
        why_not=step.why_not,
        short=step.short or step.label,
    )
