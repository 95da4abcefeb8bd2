"""The page on which an operator makes a customer: name, plan and the owner's address; all
else is proposed.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.actions.customers import Proposal, completed, make_customer
from accounts.admin.steps.base import Preview
from accounts.models import Plan, Settlement, Tier, User
from accounts.panels import Effect
from accounts.tasks import send_soon
from config.kit.addresses import canonical_address
from config.kit.errors import BusinessError
from config.kit.one_line import validate_name

LANGUAGES = User._meta.get_field("language").choices


class CustomerForm(forms.Form):
    """Three that matter; the others may stay empty."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, validators=[validate_name]
    )
    plan = forms.ChoiceField(label=gettext_lazy("Plan"), choices=Plan.choices)
    owner_email = forms.EmailField(
        label=gettext_lazy("Owner's e-mail address"),
        help_text=gettext_lazy("They get a mail with a link to come in."),
    )
    owner_name = forms.CharField(
        label=gettext_lazy("Owner's name"),
        max_length=120,
        required=False,
        validators=[validate_name],
    )
    slug = forms.SlugField(
        label=gettext_lazy("Short name in addresses"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Made from the name where empty."),
    )
    settlement = forms.ChoiceField(
        label=gettext_lazy("Settlement"),
        choices=[("", gettext_lazy("As the plan proposes")), *Settlement.choices],
        required=False,
    )
    timezone = forms.CharField(
        label=gettext_lazy("Time zone"), max_length=64, required=False
    )
    standard = forms.IntegerField(
        label=gettext_lazy("Standard seats bought"),
        min_value=0,
        max_value=1_000_000,
        required=False,
        help_text=gettext_lazy("Five where empty."),
    )
    premium = forms.IntegerField(
        label=gettext_lazy("Premium seats bought"),
        min_value=0,
        max_value=1_000_000,
        required=False,
    )
    billing_email = forms.EmailField(
        label=gettext_lazy("Billing e-mail"),
        required=False,
        help_text=gettext_lazy("The owner's where empty."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=LANGUAGES or (), required=False
    )

    def proposal(self) -> Proposal:
        """What was typed."""
        typed = self.cleaned_data
        seats = {tier: typed[tier] for tier in Tier.values if typed[tier] is not None}
        names = ("name", "plan", "owner_email", "owner_name", "slug", "settlement")
        return Proposal(
            **{name: typed[name] for name in names},
            timezone=typed["timezone"] or "UTC",
            billing_email=typed["billing_email"],
            seats=seats,
            language=typed["language"] or "en",
        )


class MakesCustomers(admin.ModelAdmin):
    """Mixed into the ModelAdmin of organizations: adding one is an act."""

    def make_page(self, request: HttpRequest) -> HttpResponse:
        """The form with its preview; pressed for the second time, the act."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        posted = request.POST if request.method == "POST" else None
        form, preview, seen = CustomerForm(posted), None, ""
        if form.is_valid():
            try:
                full = completed(form.proposal())
                preview, seen = preview_of(full), digest(full)
                if request.POST.get("seen") == seen and not _is_part(request):
                    return self._make(request, full)
            except BusinessError as error:
                form.add_error(
                    error.field if error.field in form.fields else None, error.message
                )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Make a customer"),
            "opts": self.opts,
            "form": form,
            "preview": preview,
            "seen": seen,
            "preview_url": request.get_full_path(),
            "cancel_url": reverse("admin:accounts_organization_changelist"),
            "verb": preview.button if preview else _("Preview"),
        }
        if _is_part(request):
            return render(request, "admin/customer/_part.html", context)
        status = 422 if form.errors else 200
        return render(request, "admin/customer/make.html", context, status=status)

    def _make(self, request: HttpRequest, full: Proposal) -> HttpResponse:
        actor = Actor.person(operator_of(request))
        made = make_customer(full, actor=actor, now=timezone.now())
        send_soon(made.mails)
        messages.success(
            request,
            _("%(name)s is made; %(email)s gets a mail with a link.")
            % {"name": made.organization.name, "email": made.owner.email},
        )
        return redirect("admin:accounts_organization_change", made.organization.pk)


def _is_part(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


def digest(full: Proposal) -> str:
    """The same for the same customer, and for no other."""
    said: dict[str, Any] = asdict(full)
    return hashlib.sha256(repr(sorted(said.items())).encode()).hexdigest()[:32]


def preview_of(full: Proposal) -> Preview:
    """What would be made, with what is proposed."""
    known = User.objects.filter(email=canonical_address(full.owner_email)).first()
    plans, ways = dict(Plan.choices), dict(Settlement.choices)
    seats = ", ".join(
        f"{number} {Tier.label_of(tier)}" for tier, number in full.seats.items()
    )
    effects = [
        Effect(_("Plan"), after=str(plans[full.plan])),
        Effect(_("Settlement"), after=str(ways[full.settlement])),
        Effect(_("Short name in addresses"), after=full.slug),
        Effect(_("Time zone"), after=full.timezone),
        Effect(_("Seats"), after=seats or _("none")),
        Effect(_("Primary owner"), after=full.owner_email),
        Effect(_("Billing e-mail"), after=full.billing_email),
        Effect(
            _("They have an account already and keep their password.")
            if known
            else _("They are new here and choose a password by the link.")
        ),
    ]
    title = _("%(name)s would be made.") % {"name": full.name}
    return Preview(title, effects, button=_("Make the customer"))
