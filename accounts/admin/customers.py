"""Operators' page of one customer, and the pages of its steps."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.actions.reasons import check_reason
from accounts.admin.looking import LooksAsOwner, customer_url
from accounts.admin.making import MakesCustomers
from accounts.admin.steps import STEPS, Preview, ReasonForm, Step
from accounts.models import Organization
from accounts.panels import (
    Look,
    Panel,
    StepLink,
    facts_about,
    panels_in,
    steps_in_order,
)
from config.kit.errors import BusinessError
from config.kit.ids import is_row_id

GROUPS = ("money", "plan", "people")


class CustomerPages(MakesCustomers, LooksAsOwner):
    """Mixed into the ModelAdmin of organizations: the change page is a page to read, with
    steps beside it.
    """

    def get_urls(self) -> list[URLPattern]:
        """With the pages of the steps."""
        view = self.admin_site.admin_view(self.step_page)
        view.access = "operators"  # type: ignore[attr-defined]
        address = "<int:organization_id>/steps/<slug:name>/"
        return [path(address, view, name="customer_step"), *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never field by field: what changes has a step."""
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """One customer, to read; making one stays a form."""
        if object_id is None:
            return self.make_page(request)
        if not self.has_view_permission(request):
            raise PermissionDenied
        customers = self.get_queryset(request).select_related("primary_owner")
        organization = customers.filter(pk=self._id(object_id)).first()
        if organization is None:
            messages.warning(request, _("There is no such customer."))
            return redirect("admin:accounts_organization_changelist")
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        look = Look(organization, operator_of(request), timezone.now())
        context = self.page_context(request, look)
        return render(request, "admin/customer/page.html", context)

    @staticmethod
    def _id(object_id: str) -> int:
        return int(object_id) if is_row_id(object_id) else 0

    def page_context(self, request: HttpRequest, look: Look) -> dict[str, Any]:
        """Everything on the page."""
        organization = look.organization
        return {
            **self.admin_site.each_context(request),
            "title": organization.name,
            "opts": self.opts,
            "organization": organization,
            "zone": look.zone,
            "facts": facts_about(look),
            "answers": [_filled(one, look) for one in panels_in("answer")],
            "panels": [_filled(one, look) for one in panels_in("body")],
            "step_groups": _step_groups(look),
        }

    def step_page(
        self, request: HttpRequest, organization_id: int, name: str
    ) -> HttpResponse:
        """The form of a step with its preview; pressed for the second time, the act."""
        organization = get_object_or_404(Organization, pk=organization_id)
        step = STEPS.get(name)
        if step is None:
            raise Http404
        if not operator_of(request).has_perm(step.permission):
            raise PermissionDenied
        return StepPage(self, request, organization, step).answer()


class StepPage:
    """One request for one step."""

    def __init__(
        self,
        pages: CustomerPages,
        request: HttpRequest,
        organization: Organization,
        step: Step,
    ) -> None:
        self.pages, self.request = pages, request
        self.organization, self.step = organization, step
        self.now = timezone.now()
        self.preview: Preview | None = None
        self.form = self._form()

    def _form(self) -> ReasonForm:
        asked = {name: self.request.GET[name] for name in self.request.GET}
        return self.step.form(
            self.request.POST if self.request.method == "POST" else None,
            organization=self.organization,
            initial=self.step.initial(self.organization) | asked,
        )

    def answer(self) -> HttpResponse:
        """The page, its preview alone, or the way back once it is done."""
        if self.request.method == "POST" and self.form.is_valid():
            if done := self._done_before():
                messages.info(self.request, done)
                return redirect(customer_url(self.organization))
            if not self.form.errors:
                self._look()
            if self._is_pressed() and (done := self._taken()):
                messages.success(self.request, done)
                return redirect(customer_url(self.organization))
        if "HX-Request" in self.request.headers:
            template = "admin/customer/_part.html"
            return render(self.request, template, self._context())
        status = 422 if self.form.errors else 200
        context = self._context()
        return render(self.request, "admin/customer/step.html", context, status=status)

    def _done_before(self) -> str:
        """What this showing of the form did: a second press is told so, and typing in it
        again is refused.
        """
        try:
            done = self.step.done_before(self.organization, self.form.cleaned_data)
        except BusinessError as error:
            self._refuse(error)
            return ""
        if done and "HX-Request" in self.request.headers:
            self.form.add_error(None, done)
            return ""
        return done

    def _look(self) -> None:
        """What it would do now; what the step refuses stands at its field."""
        try:
            self.preview = self.step.preview(
                self.organization, self.form.cleaned_data, self.now
            )
        except BusinessError as error:
            self._refuse(error)

    def _is_pressed(self) -> bool:
        """The button, by somebody who saw what it would do, as it would be done now."""
        if self.preview is None or "HX-Request" in self.request.headers:
            return False
        sent = self.request.POST
        is_sure = not self.preview.sure or "sure" in sent
        return is_sure and sent.get("seen") == self.preview.seen(self.form.cleaned_data)

    def _taken(self) -> str:
        """Do it; nothing where it was refused."""
        operator = operator_of(self.request)
        try:
            reason = check_reason(self.form.cleaned_data["reason"])
            return self.step.take(
                self.organization,
                self.form.cleaned_data,
                actor=Actor.person(operator, reason=reason),
                now=self.now,
                request=self.request,
            )
        except BusinessError as error:
            self._refuse(error)
            return ""

    def _refuse(self, error: BusinessError) -> None:
        field = error.field if error.field in self.form.fields else None
        self.form.add_error(field, error.message)

    def _context(self) -> dict[str, Any]:
        typed = getattr(self.form, "cleaned_data", {})
        return {
            **self.pages.admin_site.each_context(self.request),
            "title": self.step.label,
            "opts": self.pages.opts,
            "organization": self.organization,
            "step": self.step,
            "form": self.form,
            "preview": self.preview,
            "seen": self.preview.seen(typed) if self.preview else "",
            "preview_url": self.request.get_full_path(),
            "cancel_url": customer_url(self.organization),
            "verb": _("Preview"),
            "foot": self.step.foot,
            "is_danger": self.step.is_danger,
        }


def _filled(panel: Panel, look: Look) -> dict[str, Any]:
    return {
        "name": panel.name,
        "template": panel.template,
        "panel": panel.context(look),
    }


def _step_groups(look: Look) -> list[tuple[str, list[dict[str, Any]]]]:
    """What this operator may do: what they may not is left out, what can't be done now
    says why.
    """
    labels = {
        "money": _("Money"),
        "plan": _("Plan"),
        "people": _("People and access"),
    }
    mine = [one for one in steps_in_order() if look.operator.has_perm(one.permission)]
    groups = [
        (
            labels[group],
            [_row(one, look.organization) for one in mine if one.group == group],
        )
        for group in GROUPS
    ]
    return [(label, rows) for label, rows in groups if rows]


def _row(step: StepLink, organization: Organization) -> dict[str, Any]:
    return {
        "step": step,
        "url": step.url(organization),
        "why_not": step.why_not(organization),
    }
