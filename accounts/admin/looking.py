"""Operators' page that begins a look at a customer as its owner, and the one that ends it."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts import looking
from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.actions.looking import begin_look, end_look
from accounts.models import Organization
from accounts.navigation import settings_page
from accounts.tasks import send_soon
from config.kit.one_line import validate_line


class LookForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        validators=[validate_line],
        help_text=gettext_lazy("Owners read it in the mail and under Activity."),
    )


class LooksAsOwner(admin.ModelAdmin):
    """Mixed into the ModelAdmin of organizations."""

    def get_urls(self) -> list[URLPattern]:
        """With the pages that begin and end a look."""
        pages = (("look", self.look_page), ("look/end", self.look_end))
        urls = []
        for name, page in pages:
            view = self.admin_site.admin_view(page)
            view.access = "operators"  # type: ignore[attr-defined]
            address = f"<int:organization_id>/{name}/"
            url_name = f"customer_{name.replace('/', '_')}"
            urls.append(path(address, view, name=url_name))
        return [*urls, *super().get_urls()]

    def look_page(self, request: HttpRequest, organization_id: int) -> HttpResponse:
        """Ask for a reason; then tell the owners and open their page."""
        organization = self._customer(request, organization_id)
        form = LookForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._begin(request, organization, form.cleaned_data["reason"])
        context = {
            **self.admin_site.each_context(request),
            "title": _("See what the owner sees"),
            "opts": self.opts,
            "organization": organization,
            "owners": organization.memberships.owners().count(),
            "form": form,
            "verb": _("Look, and tell the owners"),
            "cancel_url": customer_url(organization),
            "foot": _("Nothing can be changed while you look."),
        }
        status = 422 if form.errors else 200
        return render(request, "admin/customer/look.html", context, status=status)

    def _customer(self, request: HttpRequest, organization_id: int) -> Organization:
        if not operator_of(request).has_perm(looking.PERMISSION):
            raise PermissionDenied
        return get_object_or_404(Organization, pk=organization_id)

    def _begin(
        self, request: HttpRequest, organization: Organization, reason: str
    ) -> HttpResponse:
        now = timezone.now()
        owner = organization.memberships.select_related("organization", "user").get(
            user=organization.primary_owner_id
        )
        actor = Actor.person(operator_of(request), reason=reason)
        send_soon(begin_look(organization, actor=actor, now=now))
        looking.start(request.session, organization_id=organization.pk, now=now)
        return redirect(settings_page(owner))

    def look_end(self, request: HttpRequest, organization_id: int) -> HttpResponse:
        """Leave, and keep for how long it was."""
        return require_POST(self._leave)(request, organization_id)

    def _leave(self, request: HttpRequest, organization_id: int) -> HttpResponse:
        organization = self._customer(request, organization_id)
        now = timezone.now()
        look = looking.look_in(request.session, now=now)
        looking.stop(request.session)
        if look is not None and look.organization_id == organization.pk:
            actor = Actor.person(operator_of(request))
            minutes = look.minutes(now)
            end_look(organization, minutes=minutes, actor=actor, now=now)
            messages.success(request, _("You no longer look as the owner."))
        return redirect(customer_url(organization))


def customer_url(organization: Organization) -> str:
    """The customer's page."""
    return reverse("admin:accounts_organization_change", args=[organization.pk])
