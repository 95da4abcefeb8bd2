"""Every URL of the project is on a list that says who may call it, and is called by
everybody else too (S1): a URL that a library brings with it, or that somebody forgot to
mark, is not served before it stands here.
"""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import SHARED_SCOPES, Role, Scope
from config.api import api
from tests.factories.people import (
    MembershipFactory,
    make_api_key,
    make_token,
    make_user,
)

EVERYBODY, SIGNED_IN, SECOND_STEP = "everybody", "signed in", "second step"
MEMBER, ADMIN, OWNER, PRIMARY = "member", "admin", "owner", "primary owner"
STAFF, OPERATOR, NOBODY = "staff", "operator", "nobody at all"
WITH_KEY = "whoever has a key"
ORGANIZATION = "o/<slug:slug>/"
SETTINGS = ORGANIZATION + "settings/"
BILLING, USAGE = SETTINGS + "billing/", SETTINGS + "usage/"
CHANNELS = SETTINGS + "notices/channels/"
REQUESTS = USAGE + "requests/"

DOORS = {
    "healthz": EVERYBODY,
    "readyz": EVERYBODY,
    "metrics": EVERYBODY,  # on the same machine, or with METRICS_TOKEN
    "i18n/setlang/": EVERYBODY,
    "webhooks/stripe/": EVERYBODY,  # with Stripe's signature
    "api/v1/openapi.json": EVERYBODY,
    "api/v1/docs": EVERYBODY,
    "api/v1/": EVERYBODY,
    **dict.fromkeys(
        [
            # with a key of scope `meter`, or a personal token
            "doors/ext-authz",
            "doors/ext-authz/",
            "doors/ext-authz/<any:path>",
            "doors/claude-code/hook",
            "doors/claude-code/statusline",
            "otlp/v1/logs",
            "otlp/v1/traces",
            "otlp/v1/metrics",
        ],
        WITH_KEY,
    ),
    "invitations/<str:token>/": EVERYBODY,  # with the token
    "digest/off/<str:token>/": EVERYBODY,  # with the token
    "notices/agree/<str:token>/": EVERYBODY,  # with the token
    "notices/stop/<str:token>/": EVERYBODY,  # with the token
    "reports/stop/<str:token>/": EVERYBODY,  # with the token
    "accounts/login/": EVERYBODY,
    "accounts/logout/": EVERYBODY,
    "accounts/inactive/": EVERYBODY,
    "accounts/password/reset/": EVERYBODY,
    "accounts/password/reset/done/": EVERYBODY,
    "accounts/password/reset/key/done/": EVERYBODY,
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": EVERYBODY,
    "accounts/2fa/authenticate/": SECOND_STEP,
    "accounts/email/": SIGNED_IN,
    "accounts/reauthenticate/": SIGNED_IN,
    "accounts/password/change/": SIGNED_IN,
    "accounts/2fa/": SIGNED_IN,
    "accounts/2fa/reauthenticate/": SIGNED_IN,
    "accounts/2fa/totp/activate/": SIGNED_IN,
    "accounts/2fa/totp/deactivate/": SIGNED_IN,
    "accounts/2fa/recovery-codes/": SIGNED_IN,
    "accounts/2fa/recovery-codes/generate/": SIGNED_IN,
    "accounts/2fa/recovery-codes/download/": SIGNED_IN,
    "": SIGNED_IN,
    "me/": SIGNED_IN,
    "me/security/": SIGNED_IN,
    "me/tokens/": SIGNED_IN,
    "me/tokens/<int:token_id>/revoke/": SIGNED_IN,
    "me/data.zip": SIGNED_IN,
    "me/sessions/<int:session_id>/end/": SIGNED_IN,
    "me/sessions/end-others/": SIGNED_IN,
    **dict.fromkeys(
        [
            ORGANIZATION,
            ORGANIZATION + "usage/",
            ORGANIZATION + "palette/",
            ORGANIZATION + "prices/",
            ORGANIZATION + "usage/requests/",
            ORGANIZATION + "prices/<str:provider>/<path:model>/",
            ORGANIZATION + "usage/receipts.csv",
            ORGANIZATION + "usage/receipts/",
            ORGANIZATION + "usage/receipts/<int:event_pk>/",
            ORGANIZATION + "usage/continue/",
            ORGANIZATION + "usage/request/",
            ORGANIZATION + "usage/request/details/",
            ORGANIZATION + "usage/request/withdraw/",
            ORGANIZATION + "notices/",
            ORGANIZATION + "notices/newest/",
            ORGANIZATION + "notices/seen/",
            ORGANIZATION + "notices/choices/",
        ],
        MEMBER,
    ),
    **dict.fromkeys(
        [
            SETTINGS,
            SETTINGS + "members/",
            SETTINGS + "members/<int:membership_id>/",
            USAGE,
            USAGE + "month/",
            USAGE + "balance/",
            USAGE + "caps/",
            USAGE + "people/",
            USAGE + "people.csv",
            SETTINGS + "reports/",
            SETTINGS + "reports.csv",
            SETTINGS + "reports/mail/",
            SETTINGS + "reports/mail/<int:report_mail_id>/stop/",
            SETTINGS + "requests/",
            SETTINGS + "requests.csv",
            SETTINGS + "members/<int:membership_id>/receipts/",
            SETTINGS + "members/<int:membership_id>/receipts.csv",
            SETTINGS + "members/<int:membership_id>/receipts/<int:event_pk>/",
            REQUESTS,
            REQUESTS + "banner/",
            REQUESTS + "digest/",
            REQUESTS + "increase/",
            REQUESTS + "<int:request_id>/",
            REQUESTS + "<int:request_id>/increase/",
            REQUESTS + "<int:request_id>/increase/preview/",
            REQUESTS + "<int:request_id>/premium/",
            REQUESTS + "<int:request_id>/dismiss/",
            SETTINGS + "undo/<str:entries>/",
        ],
        ADMIN,
    ),
    **dict.fromkeys(
        [
            SETTINGS + "members/invite/",
            SETTINGS + "members/<int:membership_id>/edit/",
            SETTINGS + "members/<int:membership_id>/external-ids/",
            SETTINGS + "members/<int:membership_id>/remove/",
            SETTINGS + "members/<int:membership_id>/return/",
            SETTINGS + "invitations/<int:invitation_id>/resend/",
            SETTINGS + "invitations/<int:invitation_id>/revoke/",
            SETTINGS + "api-keys/",
            SETTINGS + "api-keys/<int:key_id>/revoke/",
            SETTINGS + "api-keys/leases/",
            SETTINGS + "security/",
            SETTINGS + "activity/",
            SETTINGS + "activity.csv",
            USAGE + "caps/organization/",
            USAGE + "caps/organization/preview/",
            USAGE + "caps/seats/<slug:tier>/",
            USAGE + "caps/seats/<slug:tier>/preview/",
            USAGE + "caps/members/<int:membership_id>/",
            USAGE + "caps/members/<int:membership_id>/preview/",
            USAGE + "enable/",
            USAGE + "enable/<slug:step>/",
            USAGE + "turn-off/",
            USAGE + "ask-first/",
            USAGE + "for-whom/",
            USAGE + "selected-members/",
            REQUESTS + "settings/",
            SETTINGS + "notices/",
            SETTINGS + "notices/choices/",
            SETTINGS + "notices/percents/<slug:of>/",
            SETTINGS + "notices/balance/",
            SETTINGS + "notices/soft-limits/add/",
            SETTINGS + "notices/soft-limits/<int:limit_id>/",
            SETTINGS + "notices/recipients/add/",
            SETTINGS + "notices/recipients/<int:recipient_id>/ask/",
            SETTINGS + "notices/recipients/<int:recipient_id>/remove/",
            SETTINGS + "connect/",
            SETTINGS + "connect/first-event/",
            SETTINGS + "connect/connected/",
            SETTINGS + "connect/unattributed/",
            SETTINGS + "connect/unattributed/<int:name_id>/assign/",
            SETTINGS + "connect/unknown/",
            CHANNELS,
            CHANNELS + "add/<slug:kind>/",
            CHANNELS + "deliveries/",
            CHANNELS + "deliveries/<int:delivery_id>/resend/",
            CHANNELS + "<int:channel_id>/",
            CHANNELS + "<int:channel_id>/test/",
            CHANNELS + "<int:channel_id>/pause/",
            CHANNELS + "<int:channel_id>/resume/",
            CHANNELS + "<int:channel_id>/rotate/",
            CHANNELS + "<int:channel_id>/remove/",
            BILLING,
            BILLING + "ledger.csv",
            BILLING + "ledger/<int:entry_id>/",
            BILLING + "documents/",
            BILLING + "details/",
            BILLING + "invoices/<slug:number>/",
            BILLING + "invoices/<slug:number>.pdf",
            BILLING + "invoices/<slug:number>/lines.csv",
            BILLING + "invoices/<slug:number>/events.csv",
            BILLING + "invoices/<slug:number>/lines/<int:position>/",
            BILLING + "credit-notes/<slug:number>.pdf",
            BILLING + "receipts/<slug:number>/",
            BILLING + "receipts/<slug:number>.pdf",
            BILLING + "statements/<slug:month>/",
            BILLING + "statements/<slug:month>.pdf",
            BILLING + "statements/<slug:month>/entries.csv",
            BILLING + "buy/",
            BILLING + "auto-reload/",
            BILLING + "card/",
            BILLING + "card/back/",
            BILLING + "payments/<slug:key>/back/",
            BILLING + "payments/<slug:key>/confirm/",
            BILLING + "payments/<slug:key>/cancel/",
            BILLING + "test-gateway/card/",
            BILLING + "test-gateway/bank/<slug:key>/",
        ],
        OWNER,
    ),
    SETTINGS + "members/<int:membership_id>/hand-over/": PRIMARY,
}

# Operators' pages: Django's own for each of these tables, and a few more.
TABLES = [
    "accounts/apikey",
    "accounts/auditentry",
    "accounts/erasure",
    "accounts/externalid",
    "accounts/invitation",
    "accounts/membership",
    "accounts/organization",
    "accounts/outgoingmail",
    "accounts/securityevent",
    "accounts/user",
    "billing/billingaccount",
    "billing/billingdetails",
    "billing/billingmonth",
    "billing/channel",
    "billing/channeldelivery",
    "billing/creditnote",
    "billing/dispute",
    "billing/gatewaynotice",
    "billing/includedwindow",
    "billing/invoice",
    "billing/invoicerefund",
    "billing/ledgerentry",
    "billing/membermonth",
    "billing/modelalias",
    "billing/modelprice",
    "billing/monthreopening",
    "billing/numbergap",
    "billing/organizationmonth",
    "billing/payment",
    "billing/paymentcard",
    "billing/pricefactor",
    "billing/purchasereceipt",
    "billing/refund",
    "billing/reportmail",
    "billing/sandboxpayment",
    "billing/sandboxrefund",
    "billing/seatallowance",
    "billing/spendcap",
    "billing/statement",
    "billing/unattributedname",
    "billing/usageadjustment",
    "billing/usageevent",
    "requests_inbox/digestoptout",
    "requests_inbox/digestrun",
    "requests_inbox/usagerequest",
]
ADDED_TO = [
    "accounts/organization",
    "accounts/user",
    "billing/billingdetails",
]
DELETED_FROM: set[str] = set()


def doors_of(table: str) -> dict[str, str]:
    """Django's pages of one table."""
    one = f"admin/{table}/<path:object_id>/"
    return {
        f"admin/{table}/": OPERATOR,
        f"admin/{table}/add/": OPERATOR if table in ADDED_TO else NOBODY,
        f"{one}history/": OPERATOR,
        f"{one}delete/": OPERATOR if table in DELETED_FROM else NOBODY,
        f"{one}change/": OPERATOR,
        one: STAFF,  # only on to its page of changes, which says no
    }


ADMIN_DOORS = {
    "admin/login/": STAFF,
    "admin/": STAFF,
    "admin/tables/": STAFF,
    "admin/search/": STAFF,
    "admin/csv/<slug:app_label>/<slug:model_name>/": OPERATOR,
    "admin/logout/": STAFF,
    "admin/password_change/": STAFF,
    "admin/password_change/done/": STAFF,
    "admin/jsi18n/": STAFF,
    "admin/autocomplete/": OPERATOR,
    "admin/r/<path:content_type_id>/<path:object_id>/": STAFF,
    "admin/^(?P<app_label>…)/$": STAFF,
    "admin/(?P<url>.*)$": STAFF,
    "admin/accounts/user/<id>/password/": OPERATOR,
    "admin/accounts/user/<int:user_id>/erase/": OPERATOR,
    "admin/accounts/user/<int:user_id>/export/": OPERATOR,
    "admin/accounts/user/<int:user_id>/reset-two-factor/": OPERATOR,
    "admin/accounts/organization/<int:organization_id>/steps/<slug:name>/": OPERATOR,
    "admin/accounts/organization/<int:organization_id>/look/": OPERATOR,
    "admin/accounts/organization/<int:organization_id>/look/end/": OPERATOR,
    "admin/billing/unknownmodel/": OPERATOR,
    "admin/billing/modelprice/set/": OPERATOR,
    "admin/billing/pricefactor/set/": OPERATOR,
    "admin/billing/modelalias/set/": OPERATOR,
    "admin/billing/modelalias/end/": OPERATOR,
    "admin/billing/seatallowance/set/": OPERATOR,
    "admin/billing/seatallowance/end/": OPERATOR,
    "admin/billing/invoice/<int:invoice_id>/step/<slug:step>/": OPERATOR,
    "admin/billing/payment/<int:payment_id>/refund/": OPERATOR,
}
for name in TABLES:
    ADMIN_DOORS |= doors_of(name)
OPERATIONS = {
    "POST /authorize": Scope.METER,
    "POST /usage": Scope.METER,
    "GET /usage": Scope.READ,
    "GET /organization": Scope.READ,
    "GET /members": Scope.READ,
    "GET /members/{member}": Scope.READ,
    "POST /members/{member}/continue": Scope.METER,
    "GET /events/{event_id}": Scope.READ,
    "GET /invoices": Scope.READ,
    "GET /invoices/{number}": Scope.READ,
    "GET /requests": Scope.READ,
    "GET /notices": Scope.READ,
    "GET /unattributed": Scope.READ,
    "POST /unattributed/{id}/assign": Scope.MANAGE,
    "PUT /caps/organization": Scope.MANAGE,
    "PUT /caps/seat-tiers/{tier}": Scope.MANAGE,
    "PUT /caps/members/{member}": Scope.MANAGE,
    "PUT /extra-usage": Scope.MANAGE,
    "PUT /external-ids/members/{member}": Scope.MANAGE,
    "POST /requests": Scope.MANAGE,
    "POST /requests/{request_id}/approve": Scope.MANAGE,
    "POST /requests/{request_id}/dismiss": Scope.MANAGE,
    "POST /requests/{request_id}/withdraw": Scope.MANAGE,
    "GET /webhooks": Scope.READ,
    "POST /webhooks": Scope.MANAGE,
    "PATCH /webhooks/{id}": Scope.MANAGE,
    "DELETE /webhooks/{id}": Scope.MANAGE,
    "POST /webhooks/{id}/rotate": Scope.MANAGE,
    "POST /webhooks/{id}/test": Scope.MANAGE,
}


# What a personal token opens too, for its own member (X3).
FOR_ONESELF = {
    "POST /authorize",
    "POST /usage",
    "GET /usage",
    "GET /members/{member}",
    "POST /members/{member}/continue",
    "GET /events/{event_id}",
}


def routes() -> list[str]:
    """Every route of the urlconf, as it is written."""

    def walk(patterns, prefix):
        for one in patterns:
            route = prefix + str(one.pattern)
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, route)
            elif isinstance(one, URLPattern):
                yield re.sub(r"(?<=app_label>)[a-z_|]+", "…", route)

    return sorted(set(walk(get_resolver().url_patterns, "")))


BODIES = {
    "POST /authorize": '{"member": "bob@acme.example", "surface": "claude"}',
    "POST /usage": '{"events": [{"id": "x"}]}',
    "POST /members/{member}/continue": '{"until": "window"}',
}
API_PATHS = {
    "api/v1" + re.sub(r"{(\w+)}", r"<\1>", operation.split()[1])
    for operation in OPERATIONS
}


def test_s1_every_url_is_on_the_list_and_the_list_has_no_other():
    by_route = {re.sub(r"<(any|number)?:?(\w+)>", r"<\2>", r): r for r in routes()}
    served = {
        route
        for plain, route in by_route.items()
        if not (plain.startswith("api/v1/") and plain in API_PATHS)
    }
    assert served == {*DOORS, *ADMIN_DOORS}


def test_s1_every_operation_of_the_api_is_on_the_list():
    served = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, operations in api.get_openapi_schema()["paths"].items()
        for method in operations
    }
    assert served == {*OPERATIONS}


@pytest.fixture
def callers(acme, alice, ada, bob, charlie) -> dict[str, Client]:
    """One browser for everybody who might call."""
    olga = make_user("olga@acme.example", "Olga Owner")
    MembershipFactory(organization=acme, user=olga, base_role=Role.OWNER)
    people = {
        "stranger": charlie.user,
        MEMBER: bob.user,
        ADMIN: ada.user,
        OWNER: olga,
        PRIMARY: alice.user,
        STAFF: make_user("staff@x.example", "Staff", is_staff=True),
        OPERATOR: make_user("op@x.example", "Op", is_staff=True, is_superuser=True),
    }
    clients = {"nobody": Client()}
    for name, person in people.items():
        clients[name] = Client()
        clients[name].force_login(person)
    return clients


RANKS = [MEMBER, ADMIN, OWNER, PRIMARY]
INSIDE = {
    EVERYBODY: {"nobody", "stranger", *RANKS, STAFF, OPERATOR},
    SIGNED_IN: {"stranger", *RANKS, STAFF, OPERATOR},
    SECOND_STEP: set(),
    NOBODY: set(),
    **{rank: set(RANKS[place:]) for place, rank in enumerate(RANKS)},
    STAFF: {STAFF, OPERATOR},
    OPERATOR: {OPERATOR},
}
SAMPLES = {
    "slug": "acme",
    "tier": "standard",
    "month": "2026-10",
    "step": "paid",
    "kind": "webhook",
    "name": "seats",
    "app_label": "accounts",
    "url": "nothing",
    "uidb36": "1",
}


def address(route: str) -> str:
    """A path of the route, with something in each place."""
    if route == "admin/autocomplete/":
        of_customers = "?app_label=billing&model_name=billingdetails&field_name="
        return f"/{route}{of_customers}organization"
    path = re.sub(
        r"\(\?P<(\w+)>[^)]*\)", lambda place: SAMPLES.get(place[1], "1"), route
    )
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda place: SAMPLES.get(place[1], "1"), path)
    return "/" + path.replace("^", "").replace("$", "")


def is_refusal(response) -> bool:
    """Sent to sign in, told that it takes another role, or that there is nothing, or
    nothing to be done; whoever may look is not told 405 for a GET before.
    """
    if response.status_code in (301, 302):
        to = response["Location"]
        return to.startswith(("/accounts/login/", "/admin/login/")) or to == "/admin/"
    return response.status_code in (401, 403, 404, 405)


def is_nothing_to_see(response) -> bool:
    """404, or Django's own way to say so to operators; or a place for POST alone."""
    return response.status_code in (404, 405) or response.get("Location") == "/admin/"


def wrongly_answered(callers, doors: dict[str, str]) -> list[str]:
    """Who was let in and should not be, or the other way round."""
    wrong = []
    for route, door in doors.items():
        for name, client in callers.items():
            is_inside = name in INSIDE[door]
            for method in ("get",) if is_inside else ("get", "post"):
                response = getattr(client, method)(address(route))
                was_refused = is_refusal(response)
                if is_inside and is_nothing_to_see(response):
                    continue
                if was_refused is is_inside:
                    wrong.append(f"{method} {route} {name}: {response.status_code}")
    return wrong


def test_s1_pages_answer_whom_the_list_names_and_refuse_all_others(callers):
    # Half signed in is nobody's state here: who is signed in is sent on.
    apart = (SECOND_STEP, WITH_KEY)
    pages = {route: door for route, door in DOORS.items() if door not in apart}
    assert wrongly_answered(callers, pages) == []
    assert is_refusal(callers["nobody"].get("/accounts/2fa/authenticate/"))


def test_s1_operators_pages_answer_operators_alone(callers):
    own = {r: d for r, d in ADMIN_DOORS.items() if r != "admin/login/"}
    tried = ("nobody", PRIMARY, STAFF, OPERATOR)
    wrong = wrongly_answered({name: callers[name] for name in tried}, own)
    assert not wrong, "\n".join(wrong)


KEYED = [route for route, door in DOORS.items() if door == WITH_KEY]


@pytest.mark.parametrize("route", KEYED)
def test_s1_doors_answer_keys_that_meter_alone(client, acme, now, route):
    headers = {"x-extra-usage-member": "bob@acme.example"}
    for scope in SHARED_SCOPES:
        key = make_api_key(acme, scopes=scope, now=now)
        method = "GET" if "statusline" in route else "POST"
        answer = client.generic(
            method,
            address(route),
            "{}",
            "application/json",
            headers={**headers, **bearer(key)},
        )
        assert answer.status_code == (200 if scope == Scope.METER else 403), scope


@pytest.mark.parametrize("operation", OPERATIONS)
def test_s1_the_api_answers_keys_with_the_scope_alone(client, acme, now, operation):
    method, path = operation.split()
    url = "/api/v1" + re.sub(r"{(\w+)}", lambda p: SAMPLES.get(p[1], "1"), path)
    body = BODIES.get(operation, "{}")
    opens = {OPERATIONS[operation]}
    if operation in FOR_ONESELF:
        opens.add(Scope.SELF)
    # Whoever it is that the samples name.
    bob = acme.memberships.get(user__email="bob@acme.example")
    url = url.replace("/members/1", f"/members/{bob.pk}")
    for scope in Scope.values:
        key = (
            make_token(bob, now=now)
            if scope == Scope.SELF
            else make_api_key(acme, scopes=scope, now=now)
        )
        answer = client.generic(
            method, url, body, "application/json", headers=bearer(key)
        )
        expected = {200, 201, 404, 409, 422} if scope in opens else {403}
        assert answer.status_code in expected, (scope, answer.content)
    for headers in ({}, bearer("xu_nonsense"), bearer("")):
        answer = client.generic(method, url, body, "application/json", headers=headers)
        assert answer.status_code == 401


def test_s1_a_session_opens_nothing_of_the_api_and_no_door(callers, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "wrong_keys": ""}
    for client in callers.values():
        assert client.get("/api/v1/organization").status_code == 401
        for route in KEYED:
            for method in (client.get, client.post):
                assert method(address(route)).status_code in (401, 405), route


def bearer(key: str) -> dict[str, str]:
    """The header of a key."""
    return {"Authorization": f"Bearer {key}"}
