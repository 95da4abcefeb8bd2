"""What operators may do to people's accounts: who may be an operator, in which group,
and whose account is on.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.forms import UserChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.actions.people import refuse_primary_owner, switch_person
from accounts.models import ApiKey, User
from config.kit.errors import BusinessError


class RightsForm(UserChangeForm):
    """Refuses to switch off whom an organization can't do without."""

    def clean_is_active(self) -> bool:
        """With what to do first."""
        is_on = bool(self.cleaned_data["is_active"])
        if self.instance.pk and not is_on and "is_active" in self.changed_data:
            try:
                refuse_primary_owner(self.instance)
            except BusinessError as error:
                raise ValidationError(error.message) from error
        return is_on


class GivesRights(admin.ModelAdmin):
    """Nobody gives more than they have: only a superuser makes or changes one."""

    form = RightsForm

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any = None
    ) -> list[str] | tuple[Any, ...]:
        """Operators in a group don't make superusers."""
        fields = super().get_readonly_fields(request, obj)
        return fields if _is_superuser(request) else (*fields, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A superuser's password, address and second factor are theirs alone."""
        if obj is not None and obj.is_superuser and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """The few groups, to tick."""
        if db_field.name == "groups":
            kwargs["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        """Accounts are switched by the act, so that every organization's audit has it."""
        if change and "is_active" in form.changed_data:
            actor = Actor.person(operator_of(request))
            switch_person(obj, on=obj.is_active, actor=actor, now=timezone.now())
            if not obj.is_active:
                _warn_of_what_stays(request, obj)
        super().save_model(request, obj, form, change)


def _is_superuser(request: HttpRequest) -> bool:
    return operator_of(request).is_superuser


def _warn_of_what_stays(request: HttpRequest, person: User) -> None:
    """Switching off does not hand over what only this person has."""
    keys = ApiKey.objects.shared().filter(created_by=person, revoked_at=None)
    for key in keys.select_related("organization"):
        messages.warning(
            request,
            _("The API key %(key)s of %(organization)s, which they made, still works.")
            % {"key": key, "organization": key.organization},
        )
