"""Pages of organizations and people."""

from django.urls import include, path

from accounts.views import (
    activity,
    external_ids,
    home,
    keys,
    language,
    members,
    own_data,
    security,
    security_events,
    sessions,
    tokens,
    undo,
)
from accounts.views.sign_in import account_pages, second_factor_pages

settings_pages = [
    path("members/", members.members_page, name="members"),
    path("members/invite/", members.member_invite, name="member_invite"),
    path("members/<int:membership_id>/edit/", members.member_edit, name="member_edit"),
    path(
        "members/<int:membership_id>/external-ids/",
        external_ids.member_external_ids,
        name="member_external_ids",
    ),
    path(
        "members/<int:membership_id>/remove/",
        members.member_remove,
        name="member_remove",
    ),
    path(
        "members/<int:membership_id>/return/",
        members.member_return,
        name="member_return",
    ),
    path(
        "members/<int:membership_id>/hand-over/",
        members.member_hand_over,
        name="member_hand_over",
    ),
    path(
        "invitations/<int:invitation_id>/resend/",
        members.invitation_resend,
        name="invitation_resend",
    ),
    path(
        "invitations/<int:invitation_id>/revoke/",
        members.invitation_revoke,
        name="invitation_revoke",
    ),
    path("api-keys/", keys.api_keys_page, name="api_keys"),
    path("api-keys/<int:key_id>/revoke/", keys.api_key_revoke, name="api_key_revoke"),
    path("api-keys/leases/", keys.leases, name="leases"),
    path("security/", security.security_page, name="security"),
    path("undo/<str:entries>/", undo.undo, name="undo"),
    path("activity/", activity.activity_page, name="activity"),
    path("activity.csv", activity.activity_csv, name="activity_csv"),
]

urlpatterns = [
    path("accounts/email/", home.address, name="account_email"),
    path("accounts/", include(account_pages)),
    path("accounts/2fa/", include(second_factor_pages)),
    path("", home.home, name="home"),
    path("i18n/setlang/", language.choose_language, name="set_language"),
    path("me/", home.me, name="me"),
    path("me/security/", security_events.own_events, name="own_security_events"),
    path("me/sessions/<int:session_id>/end/", sessions.session_end, name="session_end"),
    path("me/sessions/end-others/", sessions.sessions_end, name="sessions_end"),
    path("me/tokens/", tokens.tokens_page, name="own_tokens"),
    path("me/tokens/<int:token_id>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("me/data.zip", own_data.own_data, name="own_data"),
    path("invitations/<str:token>/", home.invitation_page, name="invitation"),
    path("o/<slug:slug>/", home.organization_home, name="organization_home"),
    path("o/<slug:slug>/settings/", home.settings_home, name="settings_home"),
    path("o/<slug:slug>/settings/", include(settings_pages)),
]
