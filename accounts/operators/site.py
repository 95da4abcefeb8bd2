"""The operators' site: Django's admin with our shell, our sign-in and our start page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.models import User
from accounts.operators.exports import export_list
from accounts.operators.navigation import links_for, place_label
from accounts.operators.start import found_context, known_count, start_context
from accounts.second_factor import lacks_as_operator, lead_to_set_up
from config.kit.columns import NOTHING
from config.kit.later import much_to_make

AdminView = Callable[..., Any]


class OperatorsSite(admin.AdminSite):
    """All pages ask for two-factor sign-in where it is required of operators."""

    site_header = gettext_lazy("Operators")
    site_title = gettext_lazy("Operators")
    index_title = gettext_lazy("All tables")
    enable_nav_sidebar = False
    empty_value_display = NOTHING

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Rows of which people and history hang are not deleted by the dozen (H11).
        self.disable_action("delete_selected")

    def admin_view(self, view: AdminView, cacheable: bool = False) -> Any:
        """Every page, but signing out, asks for what is required of its operators."""
        allowed = super().admin_view(view, cacheable)

        @wraps(allowed)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            is_let_in = view != self.logout and self.has_permission(request)
            if is_let_in and lacks_as_operator(operator_of(request)):
                return lead_to_set_up(request, required_by=_("This installation"))
            return allowed(request, *args, **kwargs)

        return checked

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """With the list of all tables, whose place the start page takes."""
        pages = (("tables/", self.all_tables), ("search/", self.search))
        own = []
        for route, page in pages:
            view = self.admin_view(page)
            view.access = "operators"  # type: ignore[attr-defined]
            own.append(path(route, view, name=page.__name__))
        view = self.admin_view(much_to_make(self.export))
        view.access = "operators"  # type: ignore[attr-defined]
        # A list to the tables as well, so that what bounds their lists bounds this.
        route = "csv/<slug:app_label>/<slug:model_name>/"
        own.append(path(route, view, name="csv_changelist"))
        return [*own, *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: Any = None) -> Any:
        """All tables, looked up by the pages that show them: every page has them in its
        context, and naming and sorting them is a sixth of its work.
        """
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """With the sidebar, for whom is let in."""
        context = super().each_context(request)
        if context["has_permission"]:
            operator = operator_of(request)
            context["operator_links"] = links_for(request, operator)
            context["operator_role"] = role_text(operator)
            context["needs_count"] = known_count(operator.pk)
            context["place_label"] = place_label(request)
        return context

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The start page: what needs somebody, customers, what changed today."""
        context = {
            **self.each_context(request),
            **start_context(request),
            "title": _("Operations"),
        }
        return TemplateResponse(request, "admin/start.html", context)

    index.access = "operators"  # type: ignore[attr-defined]

    def search(self, request: HttpRequest) -> HttpResponse:
        """What one text finds among everything."""
        context = {
            **self.each_context(request),
            **found_context(request),
            "title": _("Search"),
        }
        return render(request, "admin/search.html", context)

    def export(
        self, request: HttpRequest, app_label: str, model_name: str
    ) -> HttpResponseBase:
        """A list as CSV; 404 where there is no such list."""
        for model, model_admin in self._registry.items():
            opts = model._meta
            has_list = tuple(model_admin.list_display) != ("__str__",)
            if has_list and (opts.app_label, opts.model_name) == (
                app_label,
                model_name,
            ):
                return export_list(request, model_admin)
        raise Http404

    def all_tables(self, request: HttpRequest) -> HttpResponse:
        """Django's own index: every table, for what has no page yet."""
        return super().index(request)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """By the product's own page, so that rate limits and two-factor count here too."""
        page: AdminView = secure_admin_login(super().login)
        return page(request, extra_context)

    login.access = "staff"  # type: ignore[attr-defined]

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Where everybody changes theirs: limited, kept and told."""
        return redirect("account_change_password")

    password_change.access = "operators"  # type: ignore[attr-defined]


def role_text(operator: User) -> str:
    """What an operator may do, as their group is called."""
    if operator.is_superuser:
        return _("Superuser")
    names = [str(_(name)) for name in operator.groups.values_list("name", flat=True)]
    return ", ".join(names) or _("No role yet")
