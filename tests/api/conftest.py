"""A caller of the API."""

from __future__ import annotations

import json

import pytest

from tests.factories.people import make_api_key


@pytest.fixture
def call(client, acme, now, time_machine):
    """Call the API with a key of Acme that may do everything."""
    time_machine.move_to(now, tick=False)
    key = make_api_key(acme, now=now)

    def send(method, path, body=None):
        return client.generic(
            method,
            f"/api/v1{path}",
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )

    return send
