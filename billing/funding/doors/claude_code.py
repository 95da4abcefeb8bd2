"""What Claude Code asks on a laptop: its `http` hooks before a prompt or a tool runs, and
its status line.
"""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from ninja import Router

from accounts.api_access import hot_path_key
from billing.funding.doors.asking import NobodyKnown, ask
from billing.funding.words import MOST_CHARACTERS, short_standing
from config.kit.api import json_response
from config.kit.doors import HOOK_BEGINNING

router = Router(tags=["Doors"], auth=hot_path_key)
PROMPT = "UserPromptSubmit"
# Quotation marks inside of a prompt are escaped there, so no prompt has this in it.
_EVENT = re.compile(rb'"hook_event_name"\s*:\s*"(\w{1,60})"')


@router.post("/claude-code/hook", url_name="claude_code_hook")
def hook(request: HttpRequest) -> HttpResponse:
    """May the prompt, or the next call of a tool, go on?

    `{}` lets it, and so does a message that extra usage begins with the prompt (N5). A
    prompt is blocked with the sentence; anywhere else the turn ends.
    """
    event = _event_named(request)
    try:
        asked = ask(request)
    except NobodyKnown as nobody:
        return _stopped(str(nobody), event=event)
    if not asked.decision.allowed:
        return _stopped(asked.sentence, event=event)
    if event == PROMPT and asked.decision.is_changeover:
        return json_response({"systemMessage": asked.changeover_sentence})
    return json_response({})


def _stopped(sentence: str, *, event: str) -> HttpResponse:
    if event == PROMPT:
        return json_response({"decision": "block", "reason": sentence})
    return json_response({"continue": False, "stopReason": sentence})


@router.get("/claude-code/statusline", url_name="claude_code_statusline")
def statusline(request: HttpRequest) -> HttpResponse:
    """One line of at most 60 characters: spent of cap, or what stops and until when."""
    try:
        asked = ask(request)
        line = short_standing(
            asked.standing,
            asked.decision,
            language=asked.standing.language,
            now=asked.now,
        )
        status = 200
    except NobodyKnown as nobody:
        line, status = _shortened(str(nobody)), 404
    return HttpResponse(
        f"{line}\n", status=status, content_type="text/plain; charset=utf-8"
    )


def _shortened(sentence: str) -> str:
    """As much of it as a status line shows."""
    if len(sentence) <= MOST_CHARACTERS:
        return sentence
    return f"{sentence[: MOST_CHARACTERS - 1]}…"


def _event_named(request: HttpRequest) -> str:
    """The event, from the beginning of the body; empty where that doesn't say.

    Read from the stream, so that the body is nowhere else: not in the request, not on
    any page or line of an error.
    """
    found = _EVENT.search(request.read(HOOK_BEGINNING))
    return found[1].decode() if found else ""
