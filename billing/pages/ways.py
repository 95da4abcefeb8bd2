"""The ways of connecting, in words: what each is for, what it can do and what it can't.
The lines to copy are templates of their own, `billing/pages/connect/<slug>.html`.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise
STOPS_AND_REPORTS = _("stops, reports")
STOPS = _("stops")
REPORTS = _("reports only")
NO_PROMPT = _("Who, model, tokens, time. No prompt, no answer.")


@dataclass(frozen=True, slots=True)
class Way:
    """One way in. `outage`, `overrun` and `sees` stand at the foot of its panel: what
    happens while we don't answer, how far past a cap people get, what we are sent.
    """

    slug: str
    name: Words
    line: Words  # under its name in the list
    does: Words
    lead: Words  # under its name in the panel
    outage: Words
    overrun: Words
    sees: Words
    guide: str
    # What to copy, by what it is for: templates of plain text.
    lines: tuple[tuple[Words, str], ...]
    # Whether people use a token of their own instead of a key of the organization.
    is_personal: bool = False
    # Whether one call by hand, with the key, shows more than its own lines do.
    has_test_call: bool = True
    # Whether it reports what ran by itself; else the first check is all to wait for.
    reports: bool = True


def _text(name: str) -> str:
    return f"billing/pages/connect/{name}.txt"


LITELLM = Way(
    slug="litellm",
    name="LiteLLM",
    line=_("A hook in its proxy, three lines"),
    does=STOPS_AND_REPORTS,
    lead=_(
        "Asks before each call, reports after it: cached tokens, streams and aborted "
        "streams too."
    ),
    outage=_(
        "Calls go on; a member told “no” stays refused. Write refuse or allow_included "
        "instead of allow for less."
    ),
    overrun=_("At most one running request for each gateway process."),
    sees=NO_PROMPT,
    guide="docs/gateways/litellm.md",
    lines=(
        (
            _("Beside LiteLLM, from a copy of this product's folder"),
            _text("litellm-install"),
        ),
        ("config.yaml", _text("litellm-config")),
        (_("Environment"), _text("litellm-environment")),
    ),
)
ENVOY = Way(
    slug="envoy",
    name="Envoy, Istio, nginx",
    line=_("External authorization"),
    does=STOPS,
    lead=_(
        "Asks before each call and stops it with 402. A proxy doesn't count tokens: "
        "report what ran with OpenTelemetry or from your code, with the same key."
    ),
    outage=_(
        "Calls go on with failure_mode_allow: true; with false, none gets through."
    ),
    overrun=_("By what is running and what has run but was not reported yet."),
    sees=_("Who and which product, from the headers you name. Bodies are dropped."),
    guide="docs/gateways/envoy.md",
    lines=(
        (_("Envoy, Istio: before the router"), _text("envoy-filter")),
        (_("Envoy, Istio: among the clusters"), _text("envoy-cluster")),
    ),
    reports=False,
)
CODE = Way(
    slug="code",
    name=_("Any language"),
    line=_("Two HTTP calls"),
    does=STOPS_AND_REPORTS,
    lead=_(
        "Ask before each request, report after it. A report sent twice counts once, so "
        "send it again until it is answered."
    ),
    outage=_(
        "Your code decides. Ask with a time-out of one second, go on without an answer, "
        "and keep the last “no” until its resets_at."
    ),
    overrun=_("By what is running, unless you count it yourself."),
    sees=_("What you send: who, model, tokens, time, labels."),
    guide="docs/gateways/any-language.md",
    has_test_call=False,
    lines=(
        (_("Before each request"), _text("code-ask")),
        (_("After it; as it is, one real event in your name"), _text("code-report")),
    ),
)
CLAUDE_CODE = Way(
    slug="claude-code",
    name="Claude Code",
    line=_("Hook, status line and telemetry"),
    does=STOPS_AND_REPORTS,
    lead=_(
        "Its hook asks before each prompt and tool, its status line shows what is spent, its "
        "telemetry reports each request. People can switch these off: to enforce a cap, "
        "put a gateway in front."
    ),
    outage=_(
        "Prompts go on; its telemetry is sent again until it is taken. "
        "“onFailure”: “block” in the hook stops prompts instead."
    ),
    overrun=_("By all that one prompt sets off."),
    sees=_(
        "Who, model, tokens, time. The hook's body holds the prompt: it is dropped "
        "unread and never logged."
    ),
    guide="docs/gateways/claude-code.md",
    lines=(
        (_("~/.claude/settings.json"), _text("claude-code-settings")),
        (_("Environment, with one's own token"), _text("claude-code-environment")),
    ),
    is_personal=True,
    has_test_call=False,
)
TELEMETRY = Way(
    slug="opentelemetry",
    name="OpenTelemetry",
    line=_("Logs and traces you send already"),
    does=REPORTS,
    lead=_(
        "Counts what ran, from Claude Code's log records and from spans by the GenAI "
        "conventions. It stops nobody."
    ),
    outage=_("Nothing stops; your exporter sends again until we take it."),
    overrun=_("A cap stops nobody here: nothing asks."),
    sees=_("Who, model, tokens, time. Other attributes are not kept."),
    guide="docs/gateways/opentelemetry.md",
    lines=((_("Environment of what exports"), _text("opentelemetry")),),
)

GROUPS: tuple[tuple[Words, tuple[Way, ...]], ...] = (
    (_("You have a gateway"), (LITELLM, ENVOY)),
    (_("You have none"), (CODE,)),
    (_("People run it themselves"), (CLAUDE_CODE, TELEMETRY)),
)
WAYS = {way.slug: way for _words, ways in GROUPS for way in ways}


def way_called(slug: str | None) -> Way:
    """The way with this slug; for any other, the first."""
    return WAYS.get(slug or "", LITELLM)
