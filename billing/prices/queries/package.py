"""Models and providers of the installed `genai-prices`, by the names that clients send
(M4a).
"""

from __future__ import annotations

from collections.abc import Iterator

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot
from genai_prices.types import Provider

from billing.prices.rules import PricedModel
from billing.prices.rules.names import is_same_model, spellings, without_path


def providers() -> list[Provider]:
    """All providers of the package."""
    return get_snapshot().providers


def provider_called(name: str) -> Provider | None:
    """The provider with this id, or that goes by this name: `bedrock` is aws."""
    return find_provider_by_id(providers(), OTHER_NAMES.get(name.lower(), name))


# Names in the wild that the package does not match itself.
OTHER_NAMES = {
    "amazon-bedrock": "aws",
    "aws.bedrock": "aws",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure_ai": "azure",
    "azure-openai": "azure",
    "x_ai": "x-ai",
    "xai": "x-ai",
}


def candidates(model: str, provider: str) -> Iterator[PricedModel]:
    """Models of the package that a reported name may mean, the best guess first: at the
    provider that was reported, at the one the name itself tells, at those its path names.
    """
    told = provider_called(provider) if provider else None
    if told is not None:
        yield from _at(told, model)
    for spelling in spellings(model):
        of_name = _provider_matching(spelling)
        if of_name is not None:
            yield from _named(of_name, spelling)
    _last, path = without_path(model)
    for piece in path:
        through = provider_called(piece)
        if through is not None:
            rest = model.lower().split(f"{piece}/", 1)[-1]
            yield from _at(through, rest)


def provider_of(model: str, provider: str) -> str | None:
    """The provider that a name, or what was reported with it, tells; None if neither."""
    told = provider_called(provider) if provider else None
    if told is not None and told.fallback_model_providers is None:
        return told.id
    for spelling in spellings(model):
        of_name = _provider_matching(spelling)
        if of_name is not None:
            return of_name.id
    return told.id if told else None


def _at(provider: Provider, model: str) -> Iterator[PricedModel]:
    """At a provider, or at those whose models it offers besides its own."""
    others = [
        provider_called(other) for other in provider.fallback_model_providers or ()
    ]
    for one in (provider, *others):
        if one is not None:
            for spelling in spellings(model):
                yield from _named(one, spelling)


def _named(provider: Provider, spelling: str) -> Iterator[PricedModel]:
    model = provider.find_model(spelling)
    if model is not None and is_same_model(spelling, model.id.rsplit("/", 1)[-1]):
        yield PricedModel(provider.id, model.id)


def _provider_matching(spelling: str) -> Provider | None:
    """The provider whose models are called so."""
    for provider in providers():
        if provider.model_match is not None and provider.model_match.is_match(spelling):
            return provider
    return None
