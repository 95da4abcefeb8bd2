"""Settings › Security: of whom the organization requires two-factor sign-in. For owners."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import MemberRequest, member_page
from accounts.actions.two_factor import require_two_factor
from accounts.forms import SecurityForm
from accounts.models import Membership, Role
from accounts.queries import without_second_factor
from config.kit.fields import refusals_on
from config.kit.http import get_or_post, posted

NAMED = 50


@member_page(Role.OWNER)
@get_or_post
def security_page(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Of whom two-factor is required, and who has none yet."""
    organization = membership.organization
    form = SecurityForm(
        posted(request), initial={"two_factor": organization.two_factor}
    )
    if form.is_valid():
        with refusals_on(form):
            require_two_factor(
                organization,
                of=form.cleaned_data["two_factor"],
                by=membership,
                now=timezone.now(),
            )
            messages.success(request, _("The setting is saved."))
            return redirect("security", organization.slug)
    without = without_second_factor(organization)
    context = {
        "organization": organization,
        "form": form,
        "active": organization.memberships.enabled().count(),
        "without_count": without.count(),
        "without": without[:NAMED],
    }
    return render(
        request, "accounts/security.html", context, status=422 if form.errors else 200
    )
