"""Operators' pages of organizations and people.

Whatever has an act is changed by it, with its audit.
"""

from __future__ import annotations

import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401  registers what is taken away below
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.admin import (
    finders,
    needs,
    organizations,
    panels,
    people,
    places,
    trail,
)

__all__ = [
    "finders",
    "needs",
    "organizations",
    "panels",
    "people",
    "places",
    "trail",
]

# Groups are written by migrations (`config.operators`); a person's address is one fact,
# the one in their own row (S4); secrets and sessions are nobody's to look at.
admin.site.unregister([Group, EmailAddress, Authenticator, UserSession])
