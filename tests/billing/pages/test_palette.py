"""The search over the pages: people, acts and pages, each for whom they may open (D3)."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.actions.members import remove_member
from accounts.models import Membership
from tests.factories.balances import make_bolt
from tests.factories.people import MembershipFactory, make_user

HTMX = {"HX-Request": "true"}


def asked(member: Membership, q: str = "", **headers: str) -> str:
    client = Client()
    client.force_login(member.user)
    path = reverse("palette", args=[member.organization.slug])
    answer = client.get(path, {"q": q}, headers=headers or HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def links(html: str) -> list[str]:
    return re.findall(r'class="xu-palette-hit"\s+href="([^"]+)"', html)


def join(member: Membership, name: str) -> Membership:
    email = f"{name.replace(' ', '.').lower()}@acme.example"
    return MembershipFactory(
        organization=member.organization, user=make_user(email, name)
    )


def test_an_owner_finds_a_person_their_amount_and_the_dialog_of_their_limit(alice, bob):
    html = asked(alice, "bob")
    assert "Bob Feld" in html
    assert "$0.00" in html
    dialog = reverse("member_cap", args=["acme", bob.pk])
    assert f'href="{dialog}"' in html
    assert "Edit limit for Bob Feld" in html
    assert re.search(rf'href="{dialog}"[^>]*data-act', html)


def test_an_act_is_found_by_its_words_with_the_name(alice, bob):
    assert reverse("member_cap", args=["acme", bob.pk]) in asked(
        alice, "edit limit bob"
    )


def test_d3_an_admin_finds_people_but_no_act_of_owners(ada, bob):
    html = asked(ada, "bob")
    assert "Bob Feld" in html
    assert "caps/members" not in html
    assert "Adjust limit" not in asked(ada, "limit")
    assert reverse("review_requests", args=["acme"]) in asked(ada, "review")


def test_d3_a_member_finds_pages_alone_and_nobody(bob):
    assert links(asked(bob, "alice")) == []
    assert "No page named" in asked(bob, "alice")
    found = links(asked(bob, "p"))
    assert reverse("prices", args=["acme"]) in found
    assert not [one for one in found if "/settings/" in one]


def test_nobody_of_another_organization_is_found(alice, charlie):
    assert "Charlie" not in asked(alice, "charlie")
    client = Client()
    client.force_login(charlie.user)
    assert client.get(reverse("palette", args=["acme"])).status_code == 404


def test_who_is_gone_is_not_found_but_where_to_look_is(alice, bob, now):
    remove_member(bob, by=alice, now=now)
    html = asked(alice, "feld")
    assert "Nobody named “feld” in Acme" in html
    assert f"{reverse('members', args=['acme'])}?status=removed&amp;q=feld" in html


def test_three_of_each_the_best_first(alice):
    for name in (
        "Xavier Maple",
        "Max Maple",
        "Maple Fox",
        "Jo Ma",
        "Ma Lin",
        "Emma Ko",
    ):
        join(alice, name)
    html = asked(alice, "ma")
    people = html[html.index('id="palette-people"') :]
    names = [
        name.strip() for name in re.findall(r'xu-palette-name">([^<]+)<', people)[:3]
    ]
    assert names == ["Ma Lin", "Maple Fox", "Max Maple"]


def test_a_page_whose_name_begins_so_stands_before_people_who_have_it_somewhere(alice):
    join(alice, "Ann Mapricex")
    html = asked(alice, "prices")
    assert html.index('id="palette-pages"') < len(html)
    html = asked(alice, "price")
    assert html.index('id="palette-pages"') < html.index('id="palette-people"')


def test_balance_is_bought_only_where_there_is_one(alice, now):
    assert reverse("buy_extra_usage", args=["acme"]) not in asked(alice, "buy")
    bolt = make_bolt(now=now)
    owner = Membership.objects.get(organization=bolt, user=bolt.primary_owner)
    assert reverse("buy_extra_usage", args=["bolt"]) in asked(owner, "buy")


def test_without_scripts_it_is_a_page_of_plain_links(alice):
    html = asked(alice, "bob", Accept="text/html")
    assert "<html" in html
    assert '<h1 class="xu-title">Search</h1>' in html
    main = html[html.index("<main") : html.index("</main>")]
    assert 'value="bob"' in main
    assert 'role="option"' not in main


@pytest.mark.parametrize("q", ["\0", "%", "'", "a" * 5000, "<b>", "  "])
def test_what_is_typed_breaks_nothing(alice, q):
    assert "<b>" not in asked(alice, q)


def test_a_name_is_text_and_never_markup(alice):
    join(alice, "<i>Zed</i> Quill")
    assert "&lt;i&gt;Zed" in asked(alice, "quill")


def test_questions_do_not_grow_with_the_people_found(
    alice, django_assert_max_num_queries
):
    for number in range(30):
        join(alice, f"Same Name{number}")
    client = Client()
    client.force_login(alice.user)
    path = reverse("palette", args=["acme"])
    with django_assert_max_num_queries(12):
        client.get(path, {"q": "same"}, headers=HTMX)


def test_pages_carry_the_search_and_a_look_of_an_operator_does_not(alice, bob):
    for member in (alice, bob):
        client = Client()
        client.force_login(member.user)
        html = client.get(reverse("own_usage", args=["acme"])).content.decode()
        assert 'id="palette"' in html
        assert html.count("data-palette") == 2
    client = Client()
    client.force_login(alice.user)
    assert 'id="palette"' not in client.get("/me/").content.decode()
