"""Operators' acts on a person's data: erase them, and hand out what is kept of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.actions.audit import Actor, record_change
from accounts.actions.erasing import erase_person, rehearse_erasure
from accounts.actions.replacing import Touched
from accounts.exporting import exported
from accounts.models import Erasure, User
from config.kit.addresses import canonical_address
from config.kit.errors import BusinessError

ERASE, EXPORT = "accounts.erase_user", "accounts.export_user"


class ErasePersonForm(forms.Form):
    """Typed, so that nobody erases the wrong one by a click."""

    address = forms.CharField(label=gettext_lazy("Type their address to confirm"))

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["address"].widget.attrs.update(autocomplete="off", size=40)

    def clean_address(self) -> str:
        """Only theirs, in any spelling."""
        typed = canonical_address(self.cleaned_data["address"])
        if typed != self.person.email:
            raise ValidationError(
                _("That is not %(address)s.") % {"address": self.person.email}
            )
        return typed


def _was_erased(person: User) -> bool:
    """By the row of the erasure: an address can be typed."""
    return Erasure.objects.filter(user=person).exists()


class PrivacyActs:
    """Mixed into the ModelAdmin of people, before it."""

    def get_urls(self) -> list[URLPattern]:
        """With the pages that erase and export."""
        site = self.admin_site  # type: ignore[attr-defined]
        pages = [("erase", self.erase), ("export", self.export)]
        urls = []
        for name, page in pages:
            view = site.admin_view(page)
            view.access = "operators"
            urls.append(
                path(f"<int:user_id>/{name}/", view, name=f"accounts_user_{name}")
            )
        return [*urls, *super().get_urls()]  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody gives an erased person a name again."""
        if obj is not None and _was_erased(obj):
            return False
        return super().has_change_permission(request, obj)  # type: ignore[misc]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of an erased person there is no more to see, and no password to set."""
        if obj is not None and _was_erased(obj):
            return ((None, {"fields": ("email", "name", "date_joined")}),)
        return super().get_fieldsets(request, obj)  # type: ignore[misc]

    def render_change_form(
        self,
        request: Any,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        """With the links to both, for who may."""
        if obj is not None:
            is_there = not _was_erased(obj)
            context["may_export"] = request.user.has_perm(EXPORT)
            context["may_erase"] = request.user.has_perm(ERASE) and is_there
        return super().render_change_form(  # type: ignore[misc]
            request, context, add, change, form_url, obj
        )

    def _person(self, request: HttpRequest, user_id: int, *, permission: str) -> User:
        """The person, for an operator who may do this, and change them: superusers are
        for superusers. Raises PermissionDenied, Http404.
        """
        person = get_object_or_404(User, pk=user_id)
        may_change = super().has_change_permission(request, person)  # type: ignore[misc]
        if not request.user.has_perm(permission) or not may_change:
            raise PermissionDenied
        return person

    def export(self, request: HttpRequest, user_id: int) -> HttpResponseBase:
        """All that is kept about a person, to hand to them; the audit says who took it."""
        person = self._person(request, user_id, permission=EXPORT)
        now = timezone.now()
        record_change(
            None,
            actor=Actor.person(operator_of(request)),
            action="member.export",
            subject=f"#{person.pk}",
            now=now,
        )
        return exported(person, now=now)

    def erase(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """What would be replaced where, and the button that does it."""
        person = self._person(request, user_id, permission=ERASE)
        posted = request.POST if request.method == "POST" else None
        form = ErasePersonForm(posted, person=person)
        actor = Actor.person(operator_of(request))
        refusal = ""
        touched: list[Touched] = []
        try:
            if form.is_valid():
                return self._erased(request, person, actor)
            _pseudonym, touched = rehearse_erasure(
                person, actor=actor, now=timezone.now()
            )
        except BusinessError as error:
            refusal = error.message
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": _("Erase a person"),
            "opts": User._meta,
            "person": person,
            "form": form,
            "refusal": refusal,
            "touched": [one for one in touched if one.how != "kept"],
            "kept": [one for one in touched if one.how == "kept"],
        }
        status = 409 if refusal else 422 if form.errors else 200
        return render(request, "admin/accounts/user/erase.html", context, status=status)

    def _erased(self, request: HttpRequest, person: User, actor: Actor) -> HttpResponse:
        """Do it; raises what `erase_person` raises."""
        erasure, _touched = erase_person(person, actor=actor, now=timezone.now())
        person.refresh_from_db()
        self.log_change(request, person, "Erased.")  # type: ignore[attr-defined]
        messages.success(
            request,
            _("Erased. In the books they are “%(name)s” now.") % {"name": erasure.name},
        )
        return redirect("admin:accounts_user_change", person.pk)
