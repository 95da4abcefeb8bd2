"""The step on who a customer is: name, where bills go, trust to invite."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions.audit import Actor
from accounts.actions.contracts import change_details
from accounts.admin.steps.base import Preview, ReasonForm, Step, Typed, refuse_no_change
from accounts.admin.steps.plan import CHANGE
from accounts.models import Organization
from accounts.panels import Effect
from config.kit.one_line import validate_name


class DetailsForm(ReasonForm):
    """Who the customer is."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, validators=[validate_name]
    )
    billing_email = forms.EmailField(label=gettext_lazy("Billing e-mail"))
    invites_freely = forms.BooleanField(
        label=gettext_lazy("May invite without limit"), required=False
    )


class DetailsStep(Step):
    name, icon, group, order = "details", "pencil", "plan", 40
    label = gettext_lazy("Name and billing e-mail")
    permission, form = CHANGE, DetailsForm
    foot = gettext_lazy("Documents that were issued keep the name they had.")

    def initial(self, organization: Organization) -> Typed:
        """As it is."""
        names = ("name", "billing_email", "invites_freely")
        return {name: getattr(organization, name) for name in names}

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """From what to what."""
        before = self.initial(organization)
        labels = {name: str(self.form.base_fields[name].label) for name in before}
        effects = [
            Effect(labels[name], said(before[name]), said(typed[name]))
            for name in before
            if before[name] != typed[name]
        ]
        refuse_no_change(bool(effects), "name")
        title = _("The details of %(name)s would change.") % {"name": organization.name}
        return Preview(title, effects, button=_("Save the details"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act."""
        values = {name: typed[name] for name in self.initial(organization)}
        change_details(organization, **values, actor=actor, now=now)
        return _("The details of %(name)s are changed.") % {"name": typed["name"]}


def said(value: Any) -> str:
    """A value in words."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return str(value)
