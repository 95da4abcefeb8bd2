"""Models as people call them (P6): two names never become one."""

from __future__ import annotations

import pytest

from billing.models import model_label


@pytest.mark.parametrize(
    "name, label",
    [
        ("claude-opus-5", "Opus 5"),
        ("claude-sonnet-4-5", "Sonnet 4.5"),
        ("claude-haiku-4-5-20251001", "Haiku 4.5 20251001"),
        ("claude-3-5-sonnet-20241022", "Sonnet 3.5 20241022"),
        ("claude-3-haiku-20240307", "Haiku 3 20240307"),
        ("claude-opus-5-v1", "claude-opus-5-v1"),
        ("claude-2.1", "claude-2.1"),
        ("gpt-5.2-codex", "gpt-5.2-codex"),
        ("anthropic.claude-opus-5", "anthropic.claude-opus-5"),
        ("", ""),
    ],
)
def test_a_model_is_called_by_family_and_version(name, label):
    assert model_label(name) == label
