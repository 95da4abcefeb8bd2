"""`make test-steady` runs these; all other runs leave them out, but for the smoke."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Take out what is marked `steady` unless somebody asks for it by that mark."""
    if "steady" in config.option.markexpr:
        return
    out = [item for item in items if item.get_closest_marker("steady")]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in set(out)]
