"""A real Chromium beside a live server: signed-in pages whose console must stay silent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Organization, User
from tests.conftest import NOW
from tests.factories.people import make_cast
from tests.services import chromium

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 120_000  # ms: what a page shows at once may take so long on a busy machine


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
) -> dict[str, Any]:
    """Debian's Chromium, which calls nobody, and is waited for."""
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE)
    return {**browser_type_launch_args, "executable_path": chromium(), "args": QUIET}


@pytest.fixture(autouse=True)
def _orm_beside_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright's own loop runs in this thread; the tests read the database all the same."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def acme(transactional_db: None) -> Organization:
    """The fixed cast, in rows that the server's threads see."""
    return make_cast(now=NOW)


@pytest.fixture
def open_page(browser: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """`open_page(email, path, **context)`: a signed-in page.

    Fails at the end when anything was written to its console.
    """
    contexts, said = [], []

    def open_(email: str, path: str, **options: Any) -> Any:
        client = Client()
        client.force_login(
            User.objects.get(email=email), backend=settings.AUTHENTICATION_BACKENDS[-1]
        )
        context = browser.new_context(
            base_url=live_server.url,
            **{"viewport": {"width": 1280, "height": 900}, **options},
        )
        contexts.append(context)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": cookie,
                    "url": live_server.url,
                }
            ]
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on(
            "console",
            lambda message: said.append(message.text) if is_trouble(message) else None,
        )
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path)
        return page

    yield open_
    heard = list(said)  # closing cuts off what a page still asks for, which is no fault
    for context in contexts:
        context.close()
    assert heard == []


# What htmx logs where a page is left while it still asks for something. A request that fails
# (sendError, responseError, timeout) has a line of its own, which is heard.
LEFT_EARLY = ("htmx:afterRequest", "htmx:sendAbort")


def is_trouble(message: Any) -> bool:
    """Errors and warnings, but for a request cut off by leaving the page, and a form's 422."""
    if message.type not in ("error", "warning") or message.text.startswith(LEFT_EARLY):
        return False
    return "status of 422" not in message.text
