"""S27: the demo, whose password everybody knows, is neither made nor let in where others
reach us; and it is made whole or not at all.
"""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from accounts.models import Organization, User
from config.demo import story
from config.demo.founding import OPERATOR, find_or_make_user
from config.demo.public import PASSWORD


def test_s27_the_demo_is_not_made_where_others_reach_us(db, settings):
    settings.LOOPBACK, settings.SITE_URL = False, "https://usage.example"
    with pytest.raises(CommandError, match=r"Nothing was made\. Set PUBLIC_DEMO=true"):
        call_command("demo")
    assert not User.objects.exists()


@pytest.mark.parametrize("gateway", ["stripe", "none"])
def test_s27_the_demo_does_not_begin_without_the_test_gateway(db, settings, gateway):
    settings.PAYMENT_GATEWAY = gateway
    with pytest.raises(
        CommandError, match=r"Nothing was made\. Unset STRIPE_SECRET_KEY"
    ):
        call_command("demo")
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_s27_a_demo_that_fails_half_way_leaves_nothing(monkeypatch, now):
    def fail(*, now):
        find_or_make_user("left@bolt.example", "Left Behind")
        raise RuntimeError("no room on the disk")

    monkeypatch.setattr(story, "make_acme", story.make_cirrus)
    monkeypatch.setattr(story, "months_before", lambda now, count: now.date())
    monkeypatch.setattr(story, "make_bolt", fail)
    with pytest.raises(RuntimeError, match="no room"):
        story.make_demo(now=now)
    assert not User.objects.exists() and not Organization.objects.exists()


def sign_in(client, password):
    return client.post("/accounts/login/", {"login": OPERATOR, "password": password})


def test_s27_the_password_everybody_knows_opens_nothing_where_others_reach_us(
    db, settings, client, rf
):
    operator = find_or_make_user(OPERATOR, "Olga Operator", is_superuser=True)
    settings.LOOPBACK = False
    assert authenticate(rf.post("/"), email=OPERATOR, password=PASSWORD) is None
    assert sign_in(client, PASSWORD).status_code == 200  # the form again
    assert "_auth_user_id" not in client.session
    settings.PUBLIC_DEMO = True
    assert sign_in(client, PASSWORD).status_code == 302
    settings.PUBLIC_DEMO = False
    client.logout()
    operator.set_password("k3yFq8Zs7vWn2Rm9")
    operator.save(update_fields=["password"])
    assert sign_in(client, "k3yFq8Zs7vWn2Rm9").status_code == 302


def test_s27_nobody_chooses_the_password_everybody_knows(settings):
    validate_password(PASSWORD)
    settings.LOOPBACK = False
    with pytest.raises(ValidationError, match="everybody knows it"):
        validate_password(PASSWORD)
