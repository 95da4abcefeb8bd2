"""What a second attack found: texts of strangers cost no time in the log, and nobody makes
themselves or others untouchable by an address that is only typed (S2, S16, S17).
"""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.actions.addresses import change_address
from accounts.actions.audit import Actor
from accounts.actions.erasing import erase_person
from config.kit.errors import BusinessError
from config.kit.masking import masked
from config.logging import mask
from tests.factories.people import make_user

NOW = dt.datetime(2026, 11, 23, 19, 28, tzinfo=dt.UTC)
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "letter", ["a", "/", "@", "a@", "x.", "?", "invalid input syntax for "]
)
def test_s2_masking_a_long_text_costs_no_square(letter):
    """At 64 KB the old patterns took ten seconds and more."""
    text = letter * (64_000 // len(letter))
    began = time.process_time()
    masked(text)
    assert time.process_time() - began < 1


def test_s11_a_text_that_somebody_made_long_does_not_fill_the_log():
    told = mask(None, "info", {"user_agent": "a" * 60_000})["user_agent"]
    assert len(told) < 2_100 and told.endswith("(60,000 characters)")


@pytest.mark.parametrize(
    "text, kept",
    [
        ("to bob@acme.example now", "to [address] now"),
        ("GET /a/b?token=x HTTP", "GET /a/b HTTP"),
        ("see https://x.example/p?q=bob@acme.example", "see https://x.example/p"),
        (f"{'l' * 64}@acme.example", "[address]"),
    ],
)
def test_s11_addresses_and_queries_are_masked_all_the_same(text, kept):
    assert masked(text) == kept


@pytest.fixture
def administrator(db):
    """An operator in the group that manages people, who is no superuser."""
    person = make_user("adm@op.example", "Adm", is_staff=True)
    person.groups.add(Group.objects.get(name="Administrators"))
    return person


@pytest.fixture
def superuser(db):
    """One of two, so that the last one is not the reason."""
    make_user("other@op.example", "Other", is_staff=True, is_superuser=True)
    return make_user("root@op.example", "Root", is_staff=True, is_superuser=True)


def test_s17_nobody_takes_the_address_of_somebody_erased(administrator):
    with pytest.raises(BusinessError) as refused:
        change_address(
            administrator, email="x@erased.invalid", by=administrator, now=NOW
        )
    assert refused.value.code == "address_reserved"
    administrator.email = "x@ERASED.invalid"
    with pytest.raises(ValidationError, match="were erased"):
        administrator.full_clean(exclude=["password"])


def test_s17_an_address_that_looks_erased_keeps_nobody_from_changing_it(superuser):
    """By a row of before: only an erasure does."""
    person = make_user("slip@acme.example", "Slip")
    type(person).objects.filter(pk=person.pk).update(email="slip@erased.invalid")
    client = Client()
    client.force_login(superuser)
    page = client.get(f"/admin/accounts/user/{person.pk}/change/").content.decode()
    assert 'name="email"' in page


@pytest.mark.parametrize("page", ["erase", "export"])
def test_s16_superusers_are_erased_and_exported_by_superusers_alone(
    administrator, superuser, page
):
    client = Client()
    client.force_login(administrator)
    url = f"/admin/accounts/user/{superuser.pk}/{page}/"
    assert client.get(url).status_code == 403
    assert client.post(url, {"address": superuser.email}).status_code == 403
    client.force_login(superuser)
    other = type(superuser).objects.get(email="other@op.example")
    assert client.get(f"/admin/accounts/user/{other.pk}/{page}/").status_code == 200


def test_s16_the_act_itself_refuses_to_erase_a_superuser(administrator, superuser):
    with pytest.raises(BusinessError) as refused:
        erase_person(superuser, actor=Actor.person(administrator), now=NOW)
    assert refused.value.code == "superuser_stays"


def test_s30_ones_own_data_is_limited_like_other_files(client, bob, settings):
    client.force_login(bob.user)
    settings.RATE_LIMITS = {
        **settings.RATE_LIMITS,
        "reports": settings.RATE_LIMITS["anonymous"],
    }
    answers = {client.get("/me/data.zip").status_code for _ in range(130)}
    assert answers == {200, 429}


def test_s3_no_document_starts_the_web_process_without_its_front():
    written = [*ROOT.glob("docs/**/*.md"), ROOT / "README.md", ROOT / "Procfile"]
    written += [ROOT / "Dockerfile", ROOT / "compose.yaml"]
    starts = [
        path.name for path in written if re.search(r"config\.wsgi:", path.read_text())
    ]
    assert starts == []
