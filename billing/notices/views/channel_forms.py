"""Forms of channels: reading what was typed. Rules live in the acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import CHOSEN_TYPES, Channel, EventType
from config.kit.one_line import validate_name

EVENTS = [(one, EventType(one).label) for one in CHOSEN_TYPES]


class EventsField(forms.MultipleChoiceField):
    """What goes there; none ticked is everything, also kinds that are added later."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("What goes there"),
            help_text=_("None ticked: everything, also what is added later."),
            choices=EVENTS,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            **kwargs,
        )


class ChannelForm(forms.Form):
    """A channel that is there: its name and what goes there."""

    name = forms.CharField(label=_("Name"), max_length=80, validators=[validate_name])
    events = EventsField()

    @classmethod
    def of(cls, channel: Channel, data: Any) -> ChannelForm:
        """With what it has now."""
        return cls(data, initial={"name": channel.name, "events": channel.events})


class AddChannelForm(forms.Form):
    """A new one; without a name it is called by its host."""

    url = forms.CharField(
        label=_("Address"),
        max_length=2_000,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "inputmode": "url", "spellcheck": "false"}
        ),
    )
    name = forms.CharField(
        label=_("Name"), max_length=80, required=False, validators=[validate_name]
    )
    events = EventsField()

    def __init__(self, *args: Any, is_slack: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_slack:
            self.fields["url"].help_text = _(
                "The incoming webhook that Slack made for a channel: "
                "https://hooks.slack.com/services/…"
            )
            self.fields["name"].help_text = _("Such as #ai-spend.")
        else:
            self.fields["url"].help_text = _(
                "Each event is posted there as JSON and signed."
            )
