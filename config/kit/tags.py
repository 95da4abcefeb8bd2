"""Template tags that every template has (`OPTIONS["builtins"]`): what opens a modal, a
field of a form, an input by itself, a stored text as one line, a file of ours, the look
of a part of a mail.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from config.kit.htmx import AROUND, UNSEEN, part_in_page
from config.kit.mail_styles import LOOKS, dark_styles, phone_styles
from config.kit.one_line import shown_line

register = template.Library()
register.filter("one_line", shown_line)


@register.filter
def undo_address(message: Any) -> str:
    """Where a message is taken back; empty where there is no way back."""
    tags = str(message.extra_tags or "")
    return tags if tags.startswith("/") else ""


@register.simple_tag
def modal_link(url_name: str, *args: Any, query: str = "") -> SafeString:
    """The attributes of a link that opens the modal of `url_name` in place; without
    JavaScript the same address is a page.
    """
    url = reverse(url_name, args=args) + (f"?{query}" if query else "")
    return format_html(
        'href="{0}" hx-get="{0}" hx-target="#modal" hx-swap="innerHTML"', url
    )


@register.simple_tag(takes_context=True)
def part(context: Context, name: str, **more: Any) -> SafeString:
    """A part that refreshes itself (`unchanged_or_html`), inside of its page."""
    own = {**more, "seen": UNSEEN, "swap_around": True}
    with context.push(**own):
        html = context.template.engine.get_template(name).render(context)  # type: ignore[union-attr]
    return mark_safe(part_in_page(html))  # noqa: S308 - a template of ours, rendered


@register.simple_tag
def around() -> SafeString:
    """Where a part ends, and what is swapped in elsewhere begins."""
    return mark_safe(AROUND)  # noqa: S308


@register.simple_tag
def api_docs_url() -> str:
    """Where the API is documented; empty where the installation shows it to nobody."""
    return "/api/v1/docs" if settings.API_DOCS else ""


@register.simple_tag(takes_context=True)
def page_kept(context: Context, parameter: str = "") -> list[tuple[str, str]]:
    """What of the address stays when a reader jumps to another page of a list."""
    asked = context["request"].GET
    return [
        (name, value)
        for name, values in asked.lists()
        for value in values
        if name != (parameter or "page")
    ]


@register.simple_tag(takes_context=True)
def page_query(context: Context, number: int, parameter: str = "") -> str:
    """The query of another page of a list, whose parameter is `page` where the list is
    alone on its page of ours.
    """
    query = context["request"].GET.copy()
    query[parameter or "page"] = str(number)
    return f"?{query.urlencode()}"


@register.simple_tag
def asset(path: str) -> str:
    """The address of a static file, also where the files were never collected: for the
    pages that say what is wrong.
    """
    try:
        return static(path)
    except ValueError:
        return f"{settings.STATIC_URL}{path}"


@register.simple_tag
def look(name: str) -> SafeString:
    """The attributes of a part of a mail: its styles inline, and the class by which dark
    and narrow screens change them.
    """
    return format_html('class="x-{}" style="{}"', name, LOOKS[name])


@register.simple_tag
def mail_head_styles() -> SafeString:
    """What mails look like in the dark and on a phone."""
    dark = f"@media (prefers-color-scheme:dark){{{dark_styles()}}}"
    phone = f"@media (max-width:480px){{{phone_styles()}}}"
    return format_html(":root{{color-scheme:light dark}}{}{}", dark, phone)


@register.simple_tag
def field(bound: BoundField, **attributes: Any) -> SafeString:
    """A field with its label, help and errors; attributes go to its input, written
    `hx_get` for `hx-get`.
    """
    bound.field.widget.attrs.update(_attributes(attributes))
    return bound.as_field_group()


@register.simple_tag
def widget(bound: BoundField, **attributes: Any) -> SafeString:
    """The input alone, for a layout of its own."""
    return bound.as_widget(attrs=_attributes(attributes))


def _attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in attributes.items()}
