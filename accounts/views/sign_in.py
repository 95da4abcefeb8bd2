"""The pages of allauth that the product means, each with its access mark (S1).

One by one: a page that a later version of the library adds, such as one that makes any
address one's own, is not ours before somebody writes it here.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, re_path

from accounts.access import UserRequest, public, signed_in


@signed_in
def change_password(request: UserRequest) -> HttpResponseBase:
    """Change the password; who never had one proves their address by mail instead."""
    if not request.user.has_usable_password():
        return redirect("account_reset_password")
    return account.password_change(request)


account_pages = [
    path("login/", public(account.login), name="account_login"),
    path("logout/", public(account.logout), name="account_logout"),
    path("inactive/", public(account.account_inactive), name="account_inactive"),
    path(
        "reauthenticate/",
        signed_in(account.reauthenticate),
        name="account_reauthenticate",
    ),
    path("password/change/", change_password, name="account_change_password"),
    path(
        "password/reset/",
        public(account.password_reset),
        name="account_reset_password",
    ),
    path(
        "password/reset/done/",
        public(account.password_reset_done),
        name="account_reset_password_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        public(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        public(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
]
second_factor_pages = [
    path("", signed_in(second_factor.index), name="mfa_index"),
    path("authenticate/", public(second_factor.authenticate), name="mfa_authenticate"),
    path(
        "reauthenticate/",
        signed_in(second_factor.reauthenticate),
        name="mfa_reauthenticate",
    ),
    path("totp/activate/", signed_in(totp.activate_totp), name="mfa_activate_totp"),
    path(
        "totp/deactivate/", signed_in(totp.deactivate_totp), name="mfa_deactivate_totp"
    ),
    path(
        "recovery-codes/",
        signed_in(recovery_codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "recovery-codes/generate/",
        signed_in(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "recovery-codes/download/",
        signed_in(recovery_codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
]
