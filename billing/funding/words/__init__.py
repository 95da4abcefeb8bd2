"""What a check's answer reads like: whole sentences, layers, one short line."""

from billing.funding.words.going_on import changeover_message, left_text
from billing.funding.words.layers import LayerWords, layer_words, window_name
from billing.funding.words.refusals import refusal_message
from billing.funding.words.short import MOST_CHARACTERS, short_message, short_standing

__all__ = [
    "MOST_CHARACTERS",
    "LayerWords",
    "changeover_message",
    "layer_words",
    "left_text",
    "refusal_message",
    "short_message",
    "short_standing",
    "window_name",
]
