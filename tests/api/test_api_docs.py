"""S34: the API's documentation is there for anyone, until API_DOCS takes it away."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("path", ["/api/v1/docs", "/api/v1/openapi.json"])
def test_s34_the_documentation_can_be_taken_away(client, db, settings, path):
    assert client.get(path).status_code == 200
    settings.API_DOCS = False
    assert client.get(path).status_code == 404
    assert client.get("/api/v1/organization").status_code == 401


def test_m6_owners_are_led_to_it_where_it_is_shown(client, alice, settings):
    client.force_login(alice.user)
    for path in ("/o/acme/settings/api-keys/", "/o/acme/settings/connect/"):
        main = client.get(path).content.decode().partition("<main")[2]
        assert 'href="/api/v1/docs"' in main.partition("</main>")[0], path
    settings.API_DOCS = False
    for path in ("/o/acme/settings/api-keys/", "/o/acme/settings/connect/"):
        assert "/api/v1/docs" not in client.get(path).content.decode(), path
