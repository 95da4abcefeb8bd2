"""Tokens of promises are Django's own signatures, made quicker (E4)."""

from __future__ import annotations

import datetime as dt

from django.core.signing import Signer

from billing.funding.promises import read_promise, sign_authorization

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
BOB = {"organization_id": 1, "membership_id": 2, "now": NOW}


def test_a_promise_is_signed_as_django_signs() -> None:
    token = sign_authorization("included", **BOB)
    assert Signer(salt="billing.authorization").unsign(token).startswith("i.1.2.")


def test_a_promise_whose_text_was_changed_is_none() -> None:
    token = sign_authorization("included", **BOB)
    for changed in (token.replace("i.1.2", "x.1.2"), token[:-1], token + "A"):
        assert read_promise(changed) is None


def test_e4_no_two_promises_have_the_same_number() -> None:
    tokens = [sign_authorization("included", **BOB) for _ in range(100)]
    assert len({read_promise(token).number for token in tokens}) == 100


def test_s7_a_promise_dated_ahead_is_worth_nothing() -> None:
    """A clock may be five minutes ahead, not more."""
    promise = read_promise(sign_authorization("included", **BOB))
    ahead = {**BOB, "now": NOW - dt.timedelta(minutes=4)}
    too_far = {**BOB, "now": NOW - dt.timedelta(minutes=6)}
    assert (promise.holds_for(**ahead), promise.holds_for(**too_far)) == (True, False)
