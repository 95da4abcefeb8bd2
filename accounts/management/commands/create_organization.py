"""`manage.py create_organization NAME --plan PLAN --owner ADDRESS`: a customer, as the
operators' page makes it; prints its short name."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.actions.audit import Actor
from accounts.actions.customers import Proposal, make_customer
from accounts.models import Plan, Settlement, Tier
from accounts.tasks import send_soon
from config.kit.errors import BusinessError


class Command(BaseCommand):
    help = (
        "Create an organization; its owner gets a mail with a link. Everything that is "
        "left out is proposed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The three that matter, and what else may be said."""
        parser.add_argument("name")
        parser.add_argument("--plan", required=True, choices=Plan.values)
        parser.add_argument("--owner", required=True, metavar="ADDRESS")
        parser.add_argument("--owner-name", default="")
        parser.add_argument("--slug", default="")
        parser.add_argument("--settlement", default="", choices=Settlement.values)
        parser.add_argument("--timezone", default="UTC")
        parser.add_argument("--billing-email", default="")
        parser.add_argument("--language", default="en", choices=["en", "ja"])
        for tier in Tier.values:
            parser.add_argument(f"--{tier}-seats", type=int, metavar="NUMBER")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it."""
        typed = {tier: options[f"{tier}_seats"] for tier in Tier.values}
        proposal = Proposal(
            name=options["name"],
            plan=options["plan"],
            owner_email=options["owner"],
            owner_name=options["owner_name"],
            slug=options["slug"],
            settlement=options["settlement"],
            timezone=options["timezone"],
            billing_email=options["billing_email"],
            seats={
                tier: bought for tier, bought in typed.items() if bought is not None
            },
            language=options["language"],
        )
        actor = Actor(label="create_organization")
        try:
            made = make_customer(proposal, actor=actor, now=timezone.now())
        except BusinessError as error:
            raise CommandError(str(error)) from error
        send_soon(made.mails)
        self.stdout.write(made.organization.slug)
