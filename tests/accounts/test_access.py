"""Strangers get 404 on every URL of an organization, whatever the method; members
without the right a 403 (D1, D3).
"""

from __future__ import annotations

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Role
from tests.factories.people import make_api_key

SAMPLES = {"tier": "standard", "key_id": "1", "invitation_id": "1", "event_pk": "1"}


def organization_patterns():
    """Every URL pattern under /o/<slug>/ with its view."""

    def walk(patterns, prefix):
        for one in patterns:
            route = prefix + str(one.pattern)
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, route)
            elif isinstance(one, URLPattern) and route.startswith("o/<slug:slug>/"):
                yield route, one.callback

    return sorted(walk(get_resolver().url_patterns, ""), key=lambda one: one[0])


PATTERNS = organization_patterns()


def address(route, *, membership_id):
    """The route for Acme with something in each place."""
    path = "/" + route.replace("<slug:slug>", "acme")
    for part in route.split("<")[1:]:
        kind_name = part.split(">")[0]
        name = kind_name.split(":")[-1]
        if name != "slug":
            path = path.replace(f"<{kind_name}>", SAMPLES.get(name, str(membership_id)))
    return path


@pytest.mark.parametrize("route", [route for route, _view in PATTERNS])
def test_d1_charlie_gets_404_whatever_the_method(
    client, acme, bob, charlie, now, route
):
    make_api_key(acme, now=now)
    client.force_login(charlie.user)
    for method in ("get", "post", "put", "patch", "delete", "head", "options"):
        assert (
            getattr(client, method)(address(route, membership_id=bob.pk)).status_code
            == 404
        ), method


@pytest.mark.parametrize(
    "route", [route for route, _view in PATTERNS if "settings/" in route]
)
def test_d3_a_member_gets_403_on_settings_with_a_sentence(
    client, acme, bob, now, route
):
    client.force_login(bob.user)
    response = client.get(address(route, membership_id=bob.pk))
    assert response.status_code == 403
    assert "Your role is Member" in response.content.decode()


def test_h27_who_is_refused_keeps_the_navigation_and_reads_whom_to_ask(
    client, acme, ada, bob
):
    client.force_login(bob.user)
    html = client.get("/o/acme/settings/members/").content.decode()
    assert f'href="{reverse("own_usage", args=["acme"])}"' in html
    assert "Alice Nakamura (alice@acme.example) is the primary owner" in html
    assert 'href="/o/acme/settings/' not in html
    client.force_login(ada.user)
    html = client.get("/o/acme/settings/activity/").content.decode()
    assert f'href="{reverse("usage_settings", args=["acme"])}"' in html
    assert "/o/acme/settings/billing/" not in html


def test_h27_a_stranger_reads_nothing_of_the_organization(client, acme, charlie):
    client.force_login(charlie.user)
    answer = client.get("/o/acme/settings/members/")
    assert answer.status_code == 404
    assert "Alice" not in answer.content.decode()


def test_signed_out_people_are_asked_to_sign_in(client, acme, bob):
    for route, _view in PATTERNS:
        response = client.get(address(route, membership_id=bob.pk))
        assert response.status_code == 302 and response["Location"].startswith(
            "/accounts/login/"
        ), route


WRITES = [
    "members/invite/",
    "members/{bob}/edit/",
    "members/{bob}/remove/",
    "members/{bob}/return/",
    "members/{bob}/hand-over/",
    "usage/caps/organization/",
    "usage/caps/seats/standard/",
    "usage/caps/members/{bob}/",
    "usage/enable/",
    "usage/turn-off/",
    "usage/for-whom/",
    "api-keys/",
]


@pytest.mark.parametrize("path", WRITES)
def test_d3_an_admin_changes_nothing_of_the_owners(client, acme, ada, bob, path):
    client.force_login(ada.user)
    response = client.post(
        f"/o/acme/settings/{path.format(bob=bob.pk)}",
        {"amount": "1.00", "enabled": "on"},
    )
    assert response.status_code == 403
    assert "Your role is Admin" in response.content.decode()


def test_every_settings_view_names_its_role():
    roles = {route: getattr(view, "access", None) for route, view in PATTERNS}
    assert all(isinstance(role, Role) for role in roles.values()), roles
