"""The step on a customer's own mail domains: people with an address there may be added by
themselves, where owners want that (X2).
"""

from __future__ import annotations

import datetime as dt

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions.audit import Actor
from accounts.actions.unknown import read_domains, set_own_domains
from accounts.admin.steps.base import Preview, ReasonForm, Step, Typed, refuse_no_change
from accounts.admin.steps.plan import CHANGE
from accounts.models import Organization, UnknownPeople
from accounts.panels import Effect


class DomainsForm(ReasonForm):
    """The domains, a line each."""

    domains = forms.CharField(
        label=gettext_lazy("Own mail domains"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One a line, such as acme.com. Subdomains are named by themselves."
        ),
    )


class DomainsStep(Step):
    name, icon, group, order = "domains", "building", "people", 95
    label = gettext_lazy("Own mail domains")
    permission, form = CHANGE, DomainsForm
    foot = gettext_lazy(
        "Only domains that are this customer's alone: who has an address there may become "
        "a member by using something."
    )

    def initial(self, organization: Organization) -> Typed:
        """As they are."""
        return {"domains": "\n".join(organization.own_domains.split())}

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """From what to what, and what that does."""
        before, after = organization.own_domains.split(), read_domains(typed["domains"])
        refuse_no_change(before != after, "domains")
        choice = UnknownPeople(organization.unknown_people)
        effects = [
            Effect(_("Own mail domains"), ", ".join(before), ", ".join(after)),
            Effect(_("Somebody unknown is"), str(choice.label)),
        ]
        others = Organization.objects.exclude(pk=organization.pk)
        for domain in sorted(set(after) - set(before)):
            shared = others.filter(own_domains__contains=domain).first()
            if shared is not None and domain in shared.own_domains.split():
                sentence = _("%(domain)s is also %(organization)s's.")
                words = {"domain": domain, "organization": shared.name}
                effects.append(Effect(sentence % words, is_warning=True))
        title = _("The mail domains of %(name)s would change.") % {
            "name": organization.name
        }
        return Preview(title, effects, button=_("Save the domains"))

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
        set_own_domains(organization, text=typed["domains"], actor=actor, now=now)
        return _("The mail domains of %(name)s are changed.") % {
            "name": organization.name
        }
