"""`manage.py create_api_key <org-slug> --name N --scope S … [--expires DAY]`: prints
only the key."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.actions.api_keys import create_api_key
from accounts.actions.audit import Actor
from accounts.models import Organization
from config.kit.errors import BusinessError


def day(text: str) -> dt.date:
    """A day written `2026-11-30`. Raises ArgumentTypeError."""
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is no day such as 2026-11-30") from None


class Command(BaseCommand):
    help = (
        "Create an API key for an organization and print it; it can't be shown again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The organization, the key's name and its scopes."""
        parser.add_argument("organization", help="slug of the organization")
        parser.add_argument("--name", required=True)
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            metavar="SCOPE",
            help="meter, read or manage; can be repeated",
        )

        parser.add_argument(
            "--expires",
            type=day,
            metavar="YYYY-MM-DD",
            help="the last day it is valid, in the organization's time zone",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key."""
        organization = organization_by_slug(options["organization"])
        try:
            _key, secret = create_api_key(
                organization,
                name=options["name"],
                scopes=options["scope"],
                expires_on=options["expires"],
                actor=Actor(label="create_api_key"),
                now=timezone.now(),
            )
        except BusinessError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)


def organization_by_slug(slug: str) -> Organization:
    """The organization; CommandError with the slugs there are otherwise."""
    organization = Organization.objects.filter(slug=slug).first()
    if organization is None:
        slugs = (
            ", ".join(
                Organization.objects.order_by("slug").values_list("slug", flat=True)[
                    :10
                ]
            )
            or "none yet"
        )
        raise CommandError(
            f"There is no organization “{slug}”. Known organizations: {slugs}."
        )
    return organization
