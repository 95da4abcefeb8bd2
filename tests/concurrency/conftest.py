"""What the races with real workers have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.concurrency.machines import Broker


@pytest.fixture
def broker() -> Iterator[Broker]:
    """Where a test and its workers leave their messages; empty before and after."""
    made = Broker()
    yield made
    made.forget()
