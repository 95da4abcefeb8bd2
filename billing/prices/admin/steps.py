"""A step of an operator on what everybody pays: a form, a preview of what it would change
in money and people, a reason, and the act; never done but as it was previewed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.actions.reasons import check_reason
from accounts.admin.steps.base import Preview, ReasonForm, Typed
from accounts.models import User
from billing.prices.actions.version import lock_price_list
from config.kit.admin import ReadOnly
from config.kit.errors import BusinessError

Asked = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CatalogPreview(Preview):
    """`basis` is what the step was previewed against: rates, what people would be
    stopped. Figures of last month may move while an operator reads.
    """

    basis: Any = None

    def seen(self, typed: Typed) -> str:
        """The same for the same words typed on the same basis."""
        lasting = replace(self, effects=[], sure="sure" if self.sure else "")
        return Preview.seen(lasting, typed)


class CatalogStep:
    """One step; a class of its own each, made for one request with what its address asks
    for. `preview` and `take` raise BusinessError, whose field is the form's.
    """

    name: ClassVar[str]
    label: ClassVar[str | Promise]
    permission: ClassVar[str]
    model: ClassVar[type[Model]]
    foot: ClassVar[str | Promise] = ""
    is_danger: ClassVar[bool] = False
    # Whether the preview is cheap enough to follow every key.
    is_live: ClassVar[bool] = True
    # Whether there is nothing to type but the reason: the preview is there at once.
    is_settled: ClassVar[bool] = False

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    @property
    def place(self) -> str:
        """The list that the step belongs to."""
        return str(self.model._meta.verbose_name_plural).capitalize()

    @property
    def list_url(self) -> str:
        """The list's address."""
        return reverse(f"admin:billing_{self.model._meta.model_name}_changelist")

    @property
    def done_url(self) -> str:
        """Where what was done is seen."""
        return self.list_url

    def form(self, data: Any, now: dt.datetime) -> ReasonForm:
        """The form, filled with what is in force."""
        raise NotImplementedError

    def preview(self, typed: Typed, now: dt.datetime) -> CatalogPreview:
        """What it would do, without doing it."""
        raise NotImplementedError

    def take(self, typed: Typed, *, actor: Actor, now: dt.datetime) -> str:
        """Do it, with the price list locked; the sentence that says so."""
        raise NotImplementedError

    def after(self, done: str, typed: Typed, actor: Actor, now: dt.datetime) -> str:
        """What follows once it is committed; the sentence that says what was done."""
        return done

    def choices(self) -> list[str]:
        """What the form proposes while typing (`list="prices"`)."""
        return []


def step_url(step: type[CatalogStep], **asked: Any) -> str:
    """A step's page, about something."""
    url = reverse(f"admin:{step.name}")
    return f"{url}?{urlencode(asked)}" if asked else url


class CatalogPages(ReadOnly, admin.ModelAdmin):
    """A table that is only read; what changes in it has a step. `list_steps` stand above
    the list, `row_steps` on a row's page with the address that is about the row.
    """

    steps: ClassVar[tuple[type[CatalogStep], ...]] = ()
    list_steps: ClassVar[tuple[type[CatalogStep], ...]] = ()

    def get_urls(self) -> list[URLPattern]:
        """With the pages of the steps."""
        return [self._step_path(step) for step in self.steps] + super().get_urls()

    def _step_path(self, step: type[CatalogStep]) -> URLPattern:
        def page(request: HttpRequest) -> HttpResponse:
            return step_page(self.admin_site, request, step)

        view = self.admin_site.admin_view(page)
        view.access = "operators"  # type: ignore[attr-defined]
        return path(f"{step.name.rpartition('_')[2]}/", view, name=step.name)

    def row_steps(self, row: Any) -> list[tuple[type[CatalogStep], dict[str, Any]]]:
        """The steps on one row, with what each is about."""
        return []

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """With the steps that this operator may take."""
        tools = tools_for(operator_of(request), [(one, {}) for one in self.list_steps])
        extra = {**(extra_context or {}), "step_tools": tools}
        return super().changelist_view(request, extra)

    changelist_view.access = "operators"  # type: ignore[attr-defined]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the steps on the row."""
        row = self.get_object(request, object_id)
        steps = self.row_steps(row) if row is not None else []
        tools = tools_for(operator_of(request), steps)
        extra = {**(extra_context or {}), "step_tools": tools}
        return super().change_view(request, object_id, form_url, extra)

    change_view.access = "operators"  # type: ignore[attr-defined]


def tools_for(
    operator: User, steps: list[tuple[type[CatalogStep], dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The links to steps; those an operator may not take are left out."""
    return [
        {"label": one.label, "url": step_url(one, **asked), "is_danger": one.is_danger}
        for one, asked in steps
        if operator.has_perm(one.permission)
    ]


def step_page(
    site: admin.AdminSite, request: HttpRequest, step: type[CatalogStep]
) -> HttpResponse:
    """The form of a step with its preview; pressed for the second time, the act.

    Raises PermissionDenied for an operator who may not take it.
    """
    if not operator_of(request).has_perm(step.permission):
        raise PermissionDenied
    # PostgreSQL takes no NUL, and no form has seen what an address says.
    asked = {name: request.GET[name].replace("\0", "") for name in request.GET}
    return CatalogStepPage(site.each_context, request, step(asked)).answer()


class CatalogStepPage:
    """One request for one step."""

    def __init__(
        self,
        each_context: Callable[[HttpRequest], dict[str, Any]],
        request: HttpRequest,
        step: CatalogStep,
    ) -> None:
        self.each_context, self.request, self.step = each_context, request, step
        self.now = timezone.now()
        self.preview: CatalogPreview | None = None
        self.is_part = "HX-Request" in request.headers
        sent = request.POST if request.method == "POST" else None
        self.form = step.form(
            {} if step.is_settled and sent is None else sent, self.now
        )

    def answer(self) -> HttpResponse:
        """The page, its preview alone, or the way back once it is done."""
        if self.form.is_valid() and self._done():
            return redirect(self.step.done_url)
        if self.is_part:
            template = "admin/customer/_part.html"
            return render(self.request, template, self._context())
        was_sent = self.request.method == "POST"
        status = 422 if was_sent and self.form.errors else 200
        template = "admin/catalog/step.html"
        return render(self.request, template, self._context(), status=status)

    def _done(self) -> bool:
        """Look at what it would do, and do it where that is what was seen; nobody changes
        a price in between.
        """
        typed = self.form.cleaned_data
        actor = Actor.person(operator_of(self.request), reason=typed["reason"])
        try:
            with transaction.atomic():
                if "seen" in self.request.POST and not self.is_part:
                    lock_price_list()
                self.preview = self.step.preview(typed, self.now)
                if not self._is_pressed():
                    return False
                reason = check_reason(typed["reason"])
                actor = replace(actor, reason=reason)
                done = self.step.take(typed, actor=actor, now=self.now)
            done = self.step.after(done, typed, actor, self.now)
        except BusinessError as error:
            field = error.field if error.field in self.form.fields else None
            self.form.add_error(field, error.message)
            return False
        messages.success(self.request, done)
        return True

    def _is_pressed(self) -> bool:
        """The button, by somebody who saw what it would do, as it would be done now."""
        if self.preview is None or self.is_part or self.request.method != "POST":
            return False
        sent = self.request.POST
        is_sure = not self.preview.sure or "sure" in sent
        return is_sure and sent.get("seen") == self.preview.seen(self.form.cleaned_data)

    def _context(self) -> dict[str, Any]:
        typed = getattr(self.form, "cleaned_data", {})
        return {
            **self.each_context(self.request),
            "title": self.step.label,
            "step": self.step,
            "form": self.form,
            "preview": self.preview,
            "seen": self.preview.seen(typed) if self.preview else "",
            "preview_url": self.request.get_full_path() if self.step.is_live else "",
            "cancel_url": self.step.list_url,
            "prices": self.step.choices(),
            "verb": _("Preview"),
            "foot": self.step.foot,
            "is_danger": self.step.is_danger,
        }
