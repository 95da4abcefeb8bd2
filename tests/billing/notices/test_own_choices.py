"""Your settings: how a person is told of each kind, an organization at a time (N4)."""

from __future__ import annotations

import pytest

from billing.models import NoticeChoice
from requests_inbox.models import DigestOptOut
from tests.markup import flat

ME, CHOICES = "/me/", "/o/acme/notices/choices/"


def kinds_offered(client) -> set[str]:
    html = client.get(ME).content.decode().split('id="notices"')[1]
    return {
        one.split('"')[0].split("-")[-1] for one in html.split('<select name="m')[1:]
    }


def typed(member, **changes: str) -> dict[str, str]:
    """What the form sends: every kind, most as it stands."""
    usual = {
        "member_cap": "mail",
        "seat_tier_cap": "mail",
        "included_usage": "",
        "changeover": "page",
        "organization_cap": "mail",
        "soft_limit": "mail",
        "channel_paused": "mail",
    }
    return {f"m{member.pk}-{kind}": told for kind, told in (usual | changes).items()}


def test_a_member_chooses_of_themselves_and_an_owner_of_the_organization_too(
    client, alice, bob
):
    client.force_login(bob.user)
    own = {"member_cap", "seat_tier_cap", "included_usage", "changeover"}
    assert kinds_offered(client) == own
    assert "stays on the page, whatever you choose" in flat(
        client.get(ME).content.decode()
    )
    client.force_login(alice.user)
    assert kinds_offered(client) == own | {
        "organization_cap",
        "soft_limit",
        "channel_paused",
    }


def test_only_what_was_changed_is_kept_and_a_default_can_be_had_back(client, bob):
    client.force_login(bob.user)
    client.post(CHOICES, typed(bob, member_cap="nothing"))
    kept = NoticeChoice.objects.values_list("membership", "kind", "told_by")
    assert list(kept.all()) == [(bob.pk, "member_cap", "nothing")]
    client.post(CHOICES, typed(bob, member_cap="nothing", included_usage="page"))
    assert set(kept.all()) == {
        (bob.pk, "member_cap", "nothing"),
        (bob.pk, "included_usage", "page"),
    }
    client.post(CHOICES, typed(bob, member_cap="mail"))
    assert list(kept.all()) == [(bob.pk, "member_cap", "mail")]


@pytest.mark.parametrize("odd", ["slack", "", "MAIL"])
def test_an_odd_choice_is_refused_whole(client, bob, odd):
    client.force_login(bob.user)
    answer = client.post(
        CHOICES, typed(bob, member_cap=odd, changeover="nothing"), follow=True
    )
    assert "Choose page and mail, page, or nothing." in answer.content.decode()
    assert not NoticeChoice.objects.exists()


def test_nobody_chooses_for_somebody_else(client, alice, bob, charlie):
    client.force_login(charlie.user)
    assert client.post(CHOICES, typed(bob)).status_code == 404
    client.force_login(bob.user)
    client.post(CHOICES, typed(alice, organization_cap="nothing"))
    assert not NoticeChoice.objects.exists()
    client.post(CHOICES, typed(bob, organization_cap="nothing"))
    assert not NoticeChoice.objects.exists(), "what they are not told of"


def test_the_digest_is_switched_beside_them(client, ada):
    client.force_login(ada.user)
    assert "Your daily digest" in client.get(ME).content.decode()
    url = "/o/acme/settings/usage/requests/digest/"
    answer = client.post(url, {"wanted": "0", "then": "me"})
    assert answer["Location"] == "/me/#notices"
    assert DigestOptOut.objects.filter(membership=ada).exists()
