"""Pages of usage, caps and money."""

from django.urls import URLPattern, path

from billing import webhooks
from billing.caps.views import caps, selection
from billing.documents.views import details, documents
from billing.documents.views import receipts as purchase_receipts
from billing.metering.views import unattributed
from billing.notices.views import channel_modals, channels, recipients, thresholds
from billing.notices.views import links as notice_links
from billing.notices.views import own as own_notices
from billing.notices.views import settings as notice_settings
from billing.pages import (
    billing,
    connect,
    going_on,
    own_usage,
    palette,
    people_csv,
    person,
    receipt,
    receipts,
    setup,
    switch,
    usage_settings,
)
from billing.payments.views import card, purchases, reloads, sandbox
from billing.prices import views as price_pages
from billing.reports.views import mailing as report_mails
from billing.reports.views import reports as report_pages

USAGE = "o/<slug:slug>/settings/usage/"
OWN_RECEIPTS = "o/<slug:slug>/usage/receipts/"
MEMBER_RECEIPTS = "o/<slug:slug>/settings/members/<int:membership_id>/receipts"
BILLING = "o/<slug:slug>/settings/billing/"
OWN_NOTICES = "o/<slug:slug>/notices/"
NOTICES = "o/<slug:slug>/settings/notices/"
CONNECT = "o/<slug:slug>/settings/connect/"
CHANNELS = f"{NOTICES}channels/"
CHANNEL = f"{CHANNELS}<int:channel_id>/"
INVOICE = f"{BILLING}invoices/<slug:number>"
STATEMENT = f"{BILLING}statements/<slug:month>"

notices_pages: list[URLPattern] = [
    path(NOTICES, notice_settings.notices, name="notices"),
    path(f"{NOTICES}choices/", notice_settings.notices_choices, name="notices_choices"),
    path(
        f"{NOTICES}percents/<slug:of>/",
        thresholds.notice_percents,
        name="notice_percents",
    ),
    path(
        f"{NOTICES}balance/", thresholds.notices_low_balance, name="notices_low_balance"
    ),
    path(
        f"{NOTICES}soft-limits/add/", thresholds.soft_limit_add, name="soft_limit_add"
    ),
    path(
        f"{NOTICES}soft-limits/<int:limit_id>/",
        thresholds.soft_limit_edit,
        name="soft_limit_edit",
    ),
    path(
        f"{NOTICES}recipients/add/",
        recipients.notice_recipient_add,
        name="notice_recipient_add",
    ),
    path(
        f"{NOTICES}recipients/<int:recipient_id>/ask/",
        recipients.notice_recipient_ask,
        name="notice_recipient_ask",
    ),
    path(
        f"{NOTICES}recipients/<int:recipient_id>/remove/",
        recipients.notice_recipient_remove,
        name="notice_recipient_remove",
    ),
]
urlpatterns: list[URLPattern] = [
    path(
        "notices/agree/<str:token>/", notice_links.notices_agree, name="notices_agree"
    ),
    path("notices/stop/<str:token>/", notice_links.notices_stop, name="notices_stop"),
    path("o/<slug:slug>/usage/", own_usage.own_usage, name="own_usage"),
    path(
        "o/<slug:slug>/usage/receipts.csv",
        receipts.own_receipts_csv,
        name="own_receipts_csv",
    ),
    path(OWN_RECEIPTS, receipts.own_receipts, name="own_receipts"),
    path(f"{OWN_RECEIPTS}<int:event_pk>/", receipt.own_receipt, name="own_receipt"),
    path(f"{MEMBER_RECEIPTS}/", receipts.member_receipts, name="member_receipts"),
    path(
        f"{MEMBER_RECEIPTS}.csv",
        receipts.member_receipts_csv,
        name="member_receipts_csv",
    ),
    path(
        f"{MEMBER_RECEIPTS}/<int:event_pk>/",
        receipt.member_receipt,
        name="member_receipt",
    ),
    path("o/<slug:slug>/palette/", palette.palette, name="palette"),
    path("o/<slug:slug>/prices/", price_pages.prices, name="prices"),
    path(
        "o/<slug:slug>/prices/<str:provider>/<path:model>/",
        price_pages.model_prices,
        name="model_prices",
    ),
    path(OWN_NOTICES, own_notices.own_notices, name="own_notices"),
    path(f"{OWN_NOTICES}newest/", own_notices.bell, name="bell"),
    path(f"{OWN_NOTICES}seen/", own_notices.notices_seen, name="notices_seen"),
    path(f"{OWN_NOTICES}choices/", own_notices.notice_choices, name="notice_choices"),
    path(
        "o/<slug:slug>/usage/continue/",
        going_on.continue_extra_usage,
        name="continue_extra_usage",
    ),
    path(
        "o/<slug:slug>/settings/members/<int:membership_id>/",
        person.member_page_of,
        name="member_page",
    ),
    path(USAGE, usage_settings.usage_settings, name="usage_settings"),
    path(f"{USAGE}month/", usage_settings.usage_month, name="usage_month"),
    path(f"{USAGE}balance/", usage_settings.usage_balance, name="usage_balance"),
    path(f"{USAGE}caps/", usage_settings.usage_caps, name="usage_caps"),
    path(f"{USAGE}people/", usage_settings.usage_people, name="usage_people"),
    path(f"{USAGE}people.csv", people_csv.usage_people_csv, name="usage_people_csv"),
    path(f"{USAGE}caps/organization/", caps.cap, name="organization_cap"),
    path(
        f"{USAGE}caps/organization/preview/",
        caps.cap_preview,
        name="organization_cap_preview",
    ),
    path(f"{USAGE}caps/seats/<slug:tier>/", caps.cap, name="seat_cap"),
    path(
        f"{USAGE}caps/seats/<slug:tier>/preview/",
        caps.cap_preview,
        name="seat_cap_preview",
    ),
    path(f"{USAGE}caps/members/<int:membership_id>/", caps.cap, name="member_cap"),
    path(
        f"{USAGE}caps/members/<int:membership_id>/preview/",
        caps.cap_preview,
        name="member_cap_preview",
    ),
    path(f"{USAGE}enable/", switch.enable, name="enable_extra_usage"),
    path(f"{USAGE}enable/<slug:step>/", setup.enable_step, name="enable_step"),
    path(f"{USAGE}turn-off/", switch.turn_off, name="turn_off_extra_usage"),
    path(f"{USAGE}for-whom/", switch.scope, name="extra_usage_scope"),
    path(f"{USAGE}ask-first/", switch.ask_first, name="extra_usage_ask_first"),
    path(
        f"{USAGE}selected-members/", selection.selected_members, name="selected_members"
    ),
    path("o/<slug:slug>/settings/reports/", report_pages.reports, name="reports"),
    path(
        "o/<slug:slug>/settings/reports.csv",
        report_pages.reports_csv,
        name="reports_csv",
    ),
    path(
        "o/<slug:slug>/settings/reports/mail/",
        report_mails.report_mail,
        name="report_mail",
    ),
    path(
        "o/<slug:slug>/settings/reports/mail/<int:report_mail_id>/stop/",
        report_mails.report_mail_stop,
        name="report_mail_stop",
    ),
    path("reports/stop/<str:token>/", report_mails.report_stop, name="report_stop"),
    *notices_pages,
    path(CONNECT, connect.connect, name="connect"),
    path(f"{CONNECT}first-event/", connect.connect_first, name="connect_first"),
    path(f"{CONNECT}connected/", connect.connect_connected, name="connect_connected"),
    path(BILLING, billing.billing, name="billing"),
    path(f"{BILLING}ledger.csv", billing.ledger_csv, name="ledger_csv"),
    path(f"{BILLING}ledger/<int:entry_id>/", billing.ledger_entry, name="ledger_entry"),
    path(f"{BILLING}documents/", billing.billing_documents, name="billing_documents"),
    path(f"{BILLING}details/", details.billing_details, name="billing_details"),
    path(f"{INVOICE}/", documents.invoice_page, name="invoice"),
    path(f"{INVOICE}.pdf", documents.invoice_pdf, name="invoice_pdf"),
    path(f"{INVOICE}/lines.csv", documents.invoice_lines_csv, name="invoice_lines_csv"),
    path(
        f"{INVOICE}/events.csv", documents.invoice_events_csv, name="invoice_events_csv"
    ),
    path(
        f"{INVOICE}/lines/<int:position>/", documents.invoice_line, name="invoice_line"
    ),
    path(
        f"{BILLING}credit-notes/<slug:number>.pdf",
        documents.credit_note_pdf,
        name="credit_note_pdf",
    ),
    path(
        f"{BILLING}receipts/<slug:number>/",
        purchase_receipts.purchase_receipt,
        name="purchase_receipt",
    ),
    path(
        f"{BILLING}receipts/<slug:number>.pdf",
        purchase_receipts.purchase_receipt_pdf,
        name="purchase_receipt_pdf",
    ),
    path(f"{STATEMENT}/", documents.statement_page, name="statement"),
    path(f"{STATEMENT}.pdf", documents.statement_pdf, name="statement_pdf"),
    path(
        f"{STATEMENT}/entries.csv",
        documents.statement_entries_csv,
        name="statement_entries_csv",
    ),
    path(f"{BILLING}buy/", purchases.buy, name="buy_extra_usage"),
    path(f"{BILLING}auto-reload/", reloads.auto_reload, name="auto_reload"),
    path(f"{BILLING}card/", card.payment_card, name="payment_card"),
    path(f"{BILLING}card/back/", card.payment_card_back, name="payment_card_back"),
    path(
        f"{BILLING}payments/<slug:key>/back/",
        purchases.payment_back,
        name="payment_back",
    ),
    path(
        f"{BILLING}payments/<slug:key>/confirm/",
        purchases.payment_confirm,
        name="payment_confirm",
    ),
    path(
        f"{BILLING}payments/<slug:key>/cancel/",
        purchases.payment_cancel,
        name="payment_cancel",
    ),
    path(f"{BILLING}test-gateway/card/", sandbox.sandbox_card, name="sandbox_card"),
    path(
        f"{BILLING}test-gateway/bank/<slug:key>/",
        sandbox.sandbox_bank,
        name="sandbox_bank",
    ),
    path(f"{CONNECT}unattributed/", unattributed.unattributed, name="unattributed"),
    path(
        f"{CONNECT}unattributed/<int:name_id>/assign/",
        unattributed.unattributed_assign,
        name="unattributed_assign",
    ),
    path(f"{CONNECT}unknown/", unattributed.unknown_people, name="unknown_people"),
    path(CHANNELS, channels.channels, name="channels"),
    path(f"{CHANNELS}add/<slug:kind>/", channel_modals.channel_add, name="channel_add"),
    path(
        f"{CHANNELS}deliveries/", channels.channel_deliveries, name="channel_deliveries"
    ),
    path(
        f"{CHANNELS}deliveries/<int:delivery_id>/resend/",
        channels.delivery_resend,
        name="delivery_resend",
    ),
    path(CHANNEL, channel_modals.channel, name="channel"),
    path(f"{CHANNEL}test/", channels.channel_test, name="channel_test"),
    path(f"{CHANNEL}pause/", channel_modals.channel_pause, name="channel_pause"),
    path(f"{CHANNEL}resume/", channels.channel_resume, name="channel_resume"),
    path(f"{CHANNEL}rotate/", channel_modals.channel_rotate, name="channel_rotate"),
    path(f"{CHANNEL}remove/", channel_modals.channel_remove, name="channel_remove"),
    path("webhooks/stripe/", webhooks.stripe_webhook, name="stripe_webhook"),
]
