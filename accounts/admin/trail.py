"""Operators' pages of what was done, and of what was mailed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.access import operator_of
from accounts.admin.steps.access import mail_state
from accounts.audit import audit_row, change_groups
from accounts.mail_kinds import mail_kind_text
from accounts.models import AuditEntry, Erasure, OutgoingMail, SecurityEvent, User
from accounts.operators.steps import Chosen, LeadsToSteps
from accounts.panels import step_back_url, undo_url
from config.kit.admin import ReadOnly
from config.kit.columns import NOTHING
from config.kit.filters import happened
from config.kit.large_tables import LargeTable, RecentValues


class KindOfChange(admin.SimpleListFilter):
    """Changes by what they are about, as the Activity page has them."""

    title = gettext_lazy("kind")  # type: ignore[assignment]
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Each group of actions."""
        return [(code, str(label)) for code, label in change_groups()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        """Those whose action begins so; all where none is chosen."""
        groups = dict(self.lookup_choices)
        chosen = self.value()
        return (
            queryset.filter(action__startswith=chosen) if chosen in groups else queryset
        )


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = ("at", "what", "before", "after", "who", "organization")
    list_filter = (KindOfChange, ("at", admin.DateFieldListFilter))
    list_select_related = ("organization", "actor")
    found_by = (
        "actor__email",
        "organization__slug",
        "membership__user__email",
    )
    sortable_by = ()
    fields = (
        "at",
        "organization",
        "who",
        "change",
        "about",
        "before",
        "after",
        "reason",
    )
    readonly_fields = ("who", "change", "about", "before", "after")

    def row_title(self, entry: AuditEntry) -> str:
        """What was changed, in words."""
        return audit_row(entry).action

    @admin.display(description=gettext_lazy("Change"))
    def change(self, entry: AuditEntry) -> str:
        """What was changed, in words."""
        return audit_row(entry).action

    @admin.display(description=gettext_lazy("What"))
    def about(self, entry: AuditEntry) -> str:
        """Whom or what it was done to."""
        return audit_row(entry).subject or NOTHING

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """With the way back beside the title, unless the same was changed since."""
        entry = context.get("original")
        if entry is not None and (url := _undo_of(entry, operator_of(request))):
            context["step_links"] = [(_("Undo"), url)]
        return super().render_change_form(request, context, *args, **kwargs)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """With the way back, where this operator has one."""
        return [*super().get_list_display(request), _way_back(operator_of(request))]

    @admin.display(description=gettext_lazy("By"))
    def who(self, entry: AuditEntry) -> str:
        """The person, or what acted without one."""
        return audit_row(entry).who

    @admin.display(description=gettext_lazy("Change"), ordering="action")
    def what(self, entry: AuditEntry) -> str:
        """What was changed, in words."""
        row = audit_row(entry)
        return format_html('{} <span class="op-sub">{}</span>', row.action, row.subject)

    @admin.display(description=gettext_lazy("From"))
    def before(self, entry: AuditEntry) -> str:
        """The value before, in words."""
        return audit_row(entry).before or NOTHING

    @admin.display(description=gettext_lazy("To"))
    def after(self, entry: AuditEntry) -> str:
        """The value after, in words."""
        return audit_row(entry).after or NOTHING


def _undo_of(entry: AuditEntry, operator: User) -> str:
    if entry.organization is None:
        return undo_url(entry, operator)
    since = AuditEntry.objects.filter(
        organization=entry.organization,
        action=entry.action,
        subject=entry.subject,
        pk__gt=entry.pk,
    )
    return "" if since.exists() else step_back_url(entry, operator)


def _way_back(operator: User) -> Callable[[AuditEntry], str]:
    """The column with the link to the step that holds the values of before."""

    @admin.display(description=gettext_lazy("Undo"))
    def undo(entry: AuditEntry) -> str:
        url = undo_url(entry, operator)
        return format_html('<a href="{}">{}</a>', url, _("Undo")) if url else ""

    return undo


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = ("at", "kind", "person", "operator", "client", "browser")
    list_filter = ("kind",)
    list_select_related = ("person", "operator")
    found_by = (
        "person__email",
        "client",
    )
    sortable_by = ()


class MailStateFilter(admin.SimpleListFilter):
    """Mails by what became of them so far."""

    title = gettext_lazy("state")
    parameter_name = "state"
    states = {
        "waiting": gettext_lazy("Waiting"),
        "failing": gettext_lazy("Waiting, failed before"),
        "given_up": gettext_lazy("Given up"),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states that need somebody to look."""
        return [(state, str(label)) for state, label in self.states.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those in the state; all where none is chosen."""
        state = self.value()
        return getattr(queryset, state)() if state in self.states else queryset


@admin.register(OutgoingMail)
class OutgoingMailAdmin(LeadsToSteps, ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = (
        "to",
        "kind",
        "organization",
        "created_at",
        "sent_at",
        "state",
    )
    list_filter = (
        MailStateFilter,
        ("kind", RecentValues),
        happened(
            "sent_at",
            title=gettext_lazy("sending"),
            yes=gettext_lazy("Sent"),
            no=gettext_lazy("Not sent"),
        ),
    )
    list_select_related = ("user", "organization")
    empty_text = gettext_lazy("No mail yet. Whatever the product sends is listed here.")

    def steps_on(self, row: OutgoingMail) -> Iterator[Chosen]:
        """Send it again, where it is a customer's."""
        if row.organization_id:
            yield "mail", {"mail": row.pk}

    def row_title(self, mail: OutgoingMail) -> str:
        """What it is and to whom it goes."""
        return f"{mail_kind_text(mail.kind)}, {mail.to}"

    @admin.display(description=gettext_lazy("State"))
    def state(self, mail: OutgoingMail) -> str:
        """What became of it; the last error below."""
        facts = []
        if mail.last_error:
            tries = ngettext("%(tries)d try", "%(tries)d tries", mail.attempts)
            facts = [tries % {"tries": mail.attempts}, mail.last_error]
        return format_html(
            '{} <span class="op-sub">{}</span>',
            capfirst(mail_state(mail)),
            ", ".join(facts),
        )

    @admin.display(description=gettext_lazy("Recipient"), ordering="user__email")
    def to(self, mail: OutgoingMail) -> str:
        """Where it goes."""
        return mail.to

    found_by = (
        "user__email",
        "address",
        "organization__slug",
        "key",
        "message_id",
    )


@admin.register(Erasure)
class ErasureAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = ("name", "email", "erased_at", "erased_by")
    list_filter = (("erased_at", admin.DateFieldListFilter),)
    list_select_related = ("erased_by",)
    found_by = (
        "email",
        "name",
    )
