"""Models and providers of the installed `genai-prices`, by the names that clients send
(M4a).
"""

from __future__ import annotations

from collections.abc import Iterator

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot
from genai_prices.types import ModelInfo, Provider
from genai_prices.types import ModelPrice as PackagePrice

from billing.prices.rules import PricedModel
from billing.prices.rules.names import (
    cleaned,
    is_free_route,
    is_of_bedrock,
    is_same_model,
    spellings,
    without_path,
)


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
    "fireworks_ai": "fireworks",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure_ai": "azure",
    "azure-openai": "azure",
    "x_ai": "x-ai",
    "xai": "x-ai",
    "@cf": "cloudflare",
}
# In a path these say whose model it is and not who serves it: openrouter's
# google/gemma-3-12b-it costs something.
VENDORS = {"google", "mistral", "mistralai", "openai"}
# How the package says that there is nothing to pay, and models of which it leaves that to
# the maker's page: https://ai.google.dev/gemini-api/docs/pricing.
FREE_WORDS = ("free of charge", "included in the subscription")
FREE_OF_CHARGE = {"gemma-3", "gemma-3n"}


def all_prices(model: ModelInfo) -> list[PackagePrice]:
    """Its prices, whatever they are for."""
    if isinstance(model.prices, PackagePrice):
        return [model.prices]
    return [conditional.prices for conditional in model.prices]


def is_free(model: ModelInfo) -> bool:
    """Whether a model costs nothing by its maker's list.

    That the package has no price is not enough: of many it does not know one (M4).
    """
    if any(value for price in all_prices(model) for value in vars(price).values()):
        return False
    says = f"{model.description} {model.price_comments}".lower()
    return (
        is_free_route(model.id)
        or model.id in FREE_OF_CHARGE
        or any(word in says for word in FREE_WORDS)
    )


def candidates(model: str, provider: str) -> Iterator[PricedModel]:
    """Models of the package that a reported name may mean, the best guess first: at the
    provider that was reported, at those that the name says serve it, at the one whose
    model it is.

    What one of those that serve lists itself is nobody else's: where no row can hold its
    price there, it has none. What is free there is free nowhere else.
    """
    for server, name in _servers(model, provider):
        called = provider_called(server)
        listed = list(_at(called, name)) if called is not None else []
        if server in VENDORS and server != provider.lower():
            listed = [one for one in listed if not _is_free_at(one)]
        yield from listed
        if listed:
            return
    for spelling in spellings(model):
        of_name = _provider_matching(spelling)
        if of_name is not None:
            yield from _named(of_name, spelling)


def _is_free_at(priced: PricedModel) -> bool:
    models = (one.models for one in providers() if one.id == priced.provider)
    return any(
        is_free(model)
        for of_one in models
        for model in of_one
        if model.id == priced.model
    )


def _servers(model: str, provider: str) -> Iterator[tuple[str, str]]:
    """Who serves a model as far as the report says, and what it is called there."""
    name = cleaned(model)
    if provider:
        yield provider, name.removeprefix(f"{provider.lower()}/")
        yield provider, name
    last, path = without_path(name)
    if is_of_bedrock(last):
        yield "aws", last
    if is_free_route(last):
        yield "openrouter", name.removeprefix("openrouter/")
    for piece in path:
        yield piece, name.split(f"{piece}/", 1)[-1]
        yield piece, name


def provider_of(model: str, provider: str) -> str | None:
    """The provider that a name, or what was reported with it, tells; None if neither."""
    told = provider_called(provider) if provider else None
    if told is not None and told.fallback_model_providers is None:
        return told.id
    if told is None and is_of_bedrock(without_path(model)[0]):
        return "aws"
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
