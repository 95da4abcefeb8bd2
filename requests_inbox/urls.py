"""Pages of requests."""

from __future__ import annotations

from django.urls import path

from requests_inbox.views import history, own, review, settings

REVIEW = "o/<slug:slug>/settings/usage/requests/"
REQUESTS = "o/<slug:slug>/settings/requests"
urlpatterns = [
    path("o/<slug:slug>/usage/request/", own.send, name="request_send"),
    path("o/<slug:slug>/usage/request/details/", own.details, name="request_details"),
    path(
        "o/<slug:slug>/usage/request/withdraw/", own.withdraw, name="request_withdraw"
    ),
    path("o/<slug:slug>/usage/requests/", history.own_requests, name="own_requests"),
    path(f"{REQUESTS}/", history.requests, name="requests"),
    path(f"{REQUESTS}.csv", history.requests_csv, name="requests_csv"),
    path(REVIEW, review.review, name="review_requests"),
    path(f"{REVIEW}banner/", review.banner, name="requests_banner"),
    path(f"{REVIEW}settings/", settings.requests_settings, name="requests_settings"),
    path(f"{REVIEW}digest/", settings.own_digest, name="own_digest"),
    path(f"{REVIEW}increase/", review.increase_ticked, name="increase_ticked"),
    path(f"{REVIEW}<int:request_id>/", review.row, name="request_row"),
    path(
        f"{REVIEW}<int:request_id>/increase/", review.increase, name="request_increase"
    ),
    path(
        f"{REVIEW}<int:request_id>/increase/preview/",
        review.increase_preview,
        name="request_increase_preview",
    ),
    path(f"{REVIEW}<int:request_id>/premium/", review.premium, name="request_premium"),
    path(f"{REVIEW}<int:request_id>/dismiss/", review.dismiss, name="request_dismiss"),
    path("digest/off/<str:token>/", settings.digest_off, name="digest_off"),
]
