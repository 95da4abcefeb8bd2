"""A step of an operator on one customer: a form, a preview of what it would change, a
reason, and the act. Nothing is done that was not previewed as it would be done.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions.audit import Actor
from accounts.models import Organization
from accounts.panels import Effect, effects_of
from config.kit.errors import BusinessError
from config.kit.fields import KeyField
from config.kit.one_line import validate_line

Typed = dict[str, Any]


class ReasonForm(forms.Form):
    """What every step asks for last. Only the press of the button needs it: the preview
    comes before.
    """

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        required=False,
        validators=[validate_line],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Kept in the audit; owners will see it."),
    )

    def __init__(self, *args: Any, organization: Organization | None = None, **kw: Any):
        super().__init__(*args, **kw)
        self.organization = organization
        self.prepare()
        # A step's own fields stand before the reason.
        self.order_fields([name for name in self.fields if name != "reason"])

    def prepare(self) -> None:
        """What depends on the organization."""


class KeyedForm(ReasonForm):
    """Of a step that books: `key` names this showing of the form, so that its button
    pressed twice, or the page sent again, books once.
    """

    key = KeyField()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a step would do: one sentence, and what changes; `sure` is what must be
    ticked first where the effect is unusual.
    """

    title: str
    effects: list[Effect] = field(default_factory=list)
    sure: str = ""
    button: str = ""

    def seen(self, typed: Typed) -> str:
        """The same for the same words typed and the same effect, and for no other."""
        said = {name: _plain(typed[name]) for name in sorted(typed)}
        said.pop("reason", None)
        return hashlib.sha256(repr((said, self)).encode()).hexdigest()[:32]


def _plain(value: Any) -> str:
    """What was typed or chosen, told apart from anything else."""
    if isinstance(value, QuerySet):
        return str(sorted(value.values_list("pk", flat=True)))
    return str(value.pk if isinstance(value, Model) else value)


class Step:
    """One step; a class of its own each. `take` and `preview` raise BusinessError, whose
    field is the form's.
    """

    name: ClassVar[str]
    label: ClassVar[str | Promise]
    icon: ClassVar[str]
    group: ClassVar[str]
    permission: ClassVar[str]
    order: ClassVar[int]
    form: ClassVar[type[ReasonForm]]
    foot: ClassVar[str | Promise] = ""
    # What it is called on the row it concerns, where the row says of what.
    short: ClassVar[str | Promise] = ""
    is_danger: ClassVar[bool] = False

    def why_not(self, organization: Organization) -> str:
        """Why it can't be taken now; nothing where it can."""
        return ""

    def initial(self, organization: Organization) -> Typed:
        """What stands in the form at first."""
        return {}

    def done_before(self, organization: Organization, typed: Typed) -> str:
        """What this very showing of the form did already; nothing where it did nothing.
        Raises BusinessError where it was used for something else.
        """
        return ""

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """What it would do, without doing it."""
        raise NotImplementedError

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """Do it; the sentence that says so."""
        raise NotImplementedError

    def effects(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> list[Effect]:
        """What the rooms above say it would change."""
        return effects_of(self.name, organization, typed, now)


def refuse_no_change(is_change: bool, field: str) -> None:
    """Raise BusinessError `no_change` for a form that says what is there already."""
    if not is_change:
        raise BusinessError(
            _("It is like that already."), code="no_change", status=422, field=field
        )
