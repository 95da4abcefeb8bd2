"""The names that gateways and clouds give a model, and the model they mean (M4a). Pure.

A name is stripped step by step of what carries no price; each step is one more spelling
to look up, the least stripped first, since a date or suffix of some models does carry one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_REGION = r"(?:us-gov|[a-z]{2}|apac|emea|global|regional)\."
_VENDOR = (
    "ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral"
    "|moonshot|moonshotai|nvidia|openai|qwen|stability|twelvelabs|writer|zai"
)
_OF_BEDROCK = re.compile(rf"^(?:{_REGION})?(?:{_VENDOR})\.(?=[a-z])")
_STEPS = (
    # Claude Code marks the long context window: claude-sonnet-5[1m]
    re.compile(r"\[[^\]]*\]$"),
    # Vertex AI: claude-opus-4-8@20260501, @default
    re.compile(r"@[^@]*$"),
    # SAP's vendors: anthropic--claude-4.5-sonnet
    re.compile(r"^[a-z0-9]+--(?=[a-z])"),
    # Databricks's endpoints: databricks-claude-sonnet-4-5
    re.compile(r"^databricks-(?=claude-)"),
    # Bedrock's inference profiles by region: us.anthropic.claude-…, global.anthropic.…
    re.compile(rf"^{_REGION}(?=[a-z])"),
    # Bedrock's vendors: anthropic.claude-…, meta.llama…
    re.compile(r"^[a-z][a-z0-9-]*\.(?=[a-z])"),
    # Bedrock's versions: claude-…-v1:0, -v2, :0, :0:200k
    re.compile(r"(-v\d+)?(:\d+)(:\d+k)?$"),
    re.compile(r"(?<=\d{8})-v\d+$"),
    # OpenRouter's routes: …:beta, :nitro, :thinking
    re.compile(r":(?!free$|batch$|flex$)[a-z-]+$"),
    re.compile(r"-latest$"),
    re.compile(r"-(20\d{6}|20\d\d-\d\d-\d\d)$"),
)
FREE_ROUTE = ":free"
_DOTTED_VERSION = re.compile(r"(?<=\d)\.(?=\d)")
_VERSION_FIRST = re.compile(
    r"^claude-([4-9](?:-\d{1,2})?)-(opus|sonnet|haiku|fable|mythos)"
)
_FAMILY_FIRST = re.compile(r"^claude-(opus|sonnet|haiku)-(3(?:-[57])?)(?=-|$)")
# The names of models that price lists match by a word or two alone. Claude before there
# were families, which Bedrock writes claude-v2:1; what OpenAI does not charge for.
_WHOLE_NAMES = {
    "claude-2": re.compile(r"(^|[./])claude-(v2(:[01](:\d+k)?)?|2([.-][01])?)$"),
    "moderation": re.compile(
        r"(^|/)((omni|text)-)?moderation(-latest|-stable|-[\d-]+)?$"
    ),
}
_NO_PRICE = re.compile(r"(-thinking|-v\d+)$")


def cleaned(name: str) -> str:
    """A name as it is compared: lower case, without white space around it."""
    return name.strip().lower()


def without_path(name: str) -> tuple[str, tuple[str, ...]]:
    """The last piece of a path or ARN, and the pieces before it, which may name who
    serves the model: `openrouter/anthropic/claude-opus-5` → `claude-opus-5`.
    """
    *before, last = cleaned(name).split("/")
    if before and before[0].startswith("arn:"):
        before = ["bedrock"]
    elif before and before[0] in ("projects", "publishers"):
        before = ["vertex_ai"]
    return last, tuple(before)


def spellings(name: str) -> Iterator[str]:
    """The name and ever more stripped ones, each once."""
    seen = set()
    for spelling in _stripped(name):
        if spelling and spelling not in seen:
            seen.add(spelling)
            yield spelling


def _stripped(name: str) -> Iterator[str]:
    name = cleaned(name)
    yield name
    name, _before = without_path(name)
    yield name
    for step in _STEPS:
        name = step.sub("", name)
        yield name
    if name.startswith("claude"):
        yield from _claude_spellings(name)


def _claude_spellings(name: str) -> Iterator[str]:
    """`claude-4.5-sonnet-thinking` is claude-sonnet-4-5, `claude-opus-5-v1` claude-opus-5."""
    name = _DOTTED_VERSION.sub("-", _NO_PRICE.sub("", name))
    yield name
    name = _FAMILY_FIRST.sub(r"claude-\2-\1", name)
    yield _VERSION_FIRST.sub(r"claude-\2-\1", name)


def canonical(name: str) -> str:
    """The most stripped spelling: what aliases and comparisons go by."""
    return ["", *spellings(name)][-1]


def is_of_bedrock(name: str) -> bool:
    """Whether only Bedrock spells a name so: a vendor and a model with a dot between, a
    region before them or not.
    """
    return _OF_BEDROCK.match(cleaned(name)) is not None


def is_free_route(name: str) -> bool:
    """Whether a name asks for OpenRouter's route that costs nothing."""
    return cleaned(name).endswith(FREE_ROUTE)


def is_same_model(name: str, model: str) -> bool:
    """Whether a price list's `model` may price `name`.

    Price lists match many names by their beginning alone: claude-opus-4-10 would be
    priced as claude-opus-4-1, and claude-20 as claude-2. For Claude the whole name has
    to agree; a free route is never priced as the paid one, nor a paid one as free.
    """
    if is_free_route(name) != is_free_route(model):
        return False
    if model in _WHOLE_NAMES:
        return _WHOLE_NAMES[model].search(cleaned(name)) is not None
    plain = canonical(name)
    if not plain.startswith("claude"):
        return True
    return plain.removesuffix("-0") == canonical(model).removesuffix("-0")
