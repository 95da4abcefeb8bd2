"""Fault 22: no mail is sent inside a request: one module talks to the mail server, and
only what the worker runs uses it.
"""

from __future__ import annotations

import ast

import pytest
from django.test import RequestFactory

from accounts.adapter import AccountAdapter
from tests.house.layers import ROOT, code

MAILER = "config/kit/mailer.py"
DELIVERY = "accounts/delivery.py"
# Who may have a mail sent at once: the delivery of rows, and the jobs that start it.
DELIVERS = {DELIVERY, "accounts/tasks.py"}
SENDERS = {"send_mail", "send_mass_mail", "mail_admins", "mail_managers", "email_user"}


def imported(tree: ast.AST) -> set[str]:
    """Dotted names of what a module imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def modules() -> list[tuple[str, ast.AST]]:
    """Every module of ours with its path."""
    return [
        (str(path.relative_to(ROOT)), ast.parse(path.read_text())) for path in code()
    ]


def test_one_module_makes_mails_and_the_delivery_of_rows_alone_uses_it():
    users: dict[str, set[str]] = {"make": set(), "send": set(), "deliver": set()}
    for path, tree in modules():
        names = imported(tree)
        if any(name.startswith(("django.core.mail", "smtplib")) for name in names):
            users["make"].add(path)
        if "config.kit.mailer.send" in names or "config.kit.mailer" in names:
            users["send"].add(path)
        if "accounts.delivery.deliver" in names:
            users["deliver"].add(path)
    assert users["make"] == {MAILER}
    assert users["send"] == {DELIVERY}
    assert users["deliver"] == DELIVERS - {DELIVERY}


def test_nobody_calls_a_mail_sender_or_runs_the_job_that_sends():
    """`send_mail` is our job; it is enqueued by `delay` and `enqueue` alone."""
    found = []
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if called in SENDERS:
                    found.append(f"{path}:{node.lineno}")
    assert found == []


def test_the_library_of_accounts_can_send_nothing():
    adapter = AccountAdapter(RequestFactory().get("/"))
    with pytest.raises(NotImplementedError):
        adapter.send_mail("account/email/password_reset_key", "a@x.example", {})
