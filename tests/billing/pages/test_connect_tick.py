"""Settings › Connect: the number of the lines to copy is ticked with the poll that sees
their key used, without a reload.
"""

from __future__ import annotations

import re

import time_machine

from tests.billing.pages.test_connect import FIRST, PAGE, ask, make_key, owner
from tests.conftest import NOW

__all__ = ["owner"]
STEP = re.compile(r'<span[^>]*id="lines-step"[^>]*>.*?</span>', re.DOTALL)


def step(answer) -> str:
    """The number of step 2 as an answer has it, once."""
    [found] = STEP.findall(answer.content.decode())
    return found


def test_the_lines_are_ticked_once_their_key_is_used(owner, bob):
    with time_machine.travel(NOW, tick=False):
        secret = make_key(owner)
        assert "hx-swap-oob" not in step(owner.get(PAGE))
        before = step(owner.get(f"{FIRST}?way=litellm"))
        assert 'hx-swap-oob="true"' in before
        assert "data-done" not in before
        ask(secret)
        after = step(owner.get(f"{FIRST}?way=litellm"))
        assert 'hx-swap-oob="true"' in after
        assert "data-done" in after
        assert "data-done" in step(owner.get(PAGE))


def test_what_did_not_change_is_not_sent_again(owner, bob):
    with time_machine.travel(NOW, tick=False):
        make_key(owner)
        part = owner.get(f"{FIRST}?way=litellm").content.decode()
        [seen] = re.findall(r"seen=(\w+)", part)
        assert owner.get(f"{FIRST}?way=litellm&seen={seen}").status_code == 204
