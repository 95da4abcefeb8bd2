"""`manage.py demo`: three organizations to try everything with; running it again
changes nothing.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.demo.founding import OPERATOR
from config.demo.public import PASSWORD, demo_is_welcome
from config.demo.story import make_demo

ACCOUNTS = [
    ("owner@acme.example", "Acme, seat-based Enterprise: primary owner"),
    ("admin@acme.example", "Acme: admin"),
    ("member@acme.example", "Acme: member, blocked right now"),
    ("owner@bolt.example", "Bolt, Team: primary owner"),
    ("member@bolt.example", "Bolt: member"),
    ("owner@cirrus.example", "Cirrus, usage-based Enterprise: primary owner"),
    (OPERATOR, "operator, at /admin/"),
]


class Command(BaseCommand):
    help = "Create the demo organizations (idempotent) and print the accounts."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is missing and say how to sign in. Raises CommandError where it would
        open a public site to everybody, or pay with real money.
        """
        _refuse_where_it_does_harm()
        logging.getLogger("billing.payments.processing").setLevel(
            logging.WARNING
        )  # months of purchases, made in one go
        made = make_demo(now=timezone.now())
        self.stdout.write(
            f"Made {', '.join(made)}."
            if made
            else "The demo already exists; nothing changed."
        )
        self.stdout.write(
            f"\nSign in at {settings.SITE_URL}/ with password “{PASSWORD}”:"
        )
        for email, who in ACCOUNTS:
            self.stdout.write(f"  {email:24}{who}")


def _refuse_where_it_does_harm() -> None:
    if not demo_is_welcome():
        raise CommandError(
            f"SITE_URL is {settings.SITE_URL}, which others reach, and the password of the"
            " demo's accounts, one of them an operator, is known to everybody. Nothing was"
            " made. Set PUBLIC_DEMO=true if that is what you want."
        )
    if settings.PAYMENT_GATEWAY != "sandbox":
        raise CommandError(
            "The demo pays with test cards, which only the built-in test gateway takes."
            " Nothing was made. Unset STRIPE_SECRET_KEY and set SANDBOX_PAYMENTS=true"
            " first."
        )
