"""One product, one fake provider and one LiteLLM for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.stage import Product, Proxy, product, proxy, upstream


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The fake provider's address."""
    with upstream() as address:
        yield address


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product."""
    with product(tmp_path_factory.mktemp("product")) as one:
        yield one


@pytest.fixture(scope="module")
def litellm(
    tmp_path_factory: pytest.TempPathFactory, server: Product, provider: str
) -> Iterator[Proxy]:
    """LiteLLM's proxy with the hook."""
    with proxy(tmp_path_factory.mktemp("litellm") / "one", server, provider) as one:
        yield one
