"""A row's page leads to the steps that may be taken on it, with the row chosen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.access import operator_of
from accounts.models import Organization
from accounts.panels import links_to_steps

Chosen = tuple[str, dict[str, Any]]


class LeadsToSteps:
    """Mixed into a ModelAdmin, before it, whose rows belong to an organization."""

    def steps_on(self, row: Any) -> Iterable[Chosen]:
        """Names of the steps that may be taken on a row now, with what to choose there."""
        return ()

    def organization_of(self, row: Any) -> Organization:
        """Whose row it is."""
        organization: Organization = row.organization
        return organization

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """With the steps beside the title, for operators who may take them."""
        row = obj
        if row is not None:
            operator, organization = operator_of(request), self.organization_of(row)
            context["step_links"] = [
                link
                for name, typed in self.steps_on(row)
                for link in links_to_steps(organization, operator, name, **typed)
            ]
        page: HttpResponse = super().render_change_form(  # type: ignore[misc]
            request, context, add, change, form_url, obj
        )
        return page
