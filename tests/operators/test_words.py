"""Codes that operators meet have words: kinds of mail, jobs, reasons."""

from __future__ import annotations

from accounts import delivery
from accounts.mail_kinds import mail_kind_text
from billing.funding.rules.standing import Reason
from config.kit.code_words import wording_of
from config.operations.words import JOB_LABELS
from config.schedule import SCHEDULE
from requests_inbox.models import UsageRequest


def test_every_kind_of_mail_has_a_name():
    unnamed = [kind for kind in delivery._WRITERS if mail_kind_text(kind) == kind]
    assert unnamed == []


def test_every_job_has_a_name_and_no_other():
    assert set(JOB_LABELS) == set(SCHEDULE)


def test_every_reason_of_a_block_reads():
    wording = wording_of(UsageRequest._meta.get_field("reason"))
    assert wording is not None
    assert [code for code in Reason if "_" in wording(code)] == []
