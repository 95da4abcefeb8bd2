"""A month of a 40-person organization and the beginning of the next: each notice once to
each who should have it, in their language (N1, N1a).
"""

from __future__ import annotations

import time_machine

from accounts.tasks import send_due_mails
from billing.books import differences
from billing.models import DeliveryChannel, NoticeDelivery
from billing.notices import tasks
from tests.stories.notices_month import forty, language_of, steps


def test_n1_every_threshold_is_told_once_to_each_in_their_language(
    db, worker, mailoutbox
):
    organization = forty()
    pages = 0
    for step in steps(organization):
        with time_machine.travel(step.at, tick=False):
            step.act(step.at)
            mailoutbox.clear()
            for _again in range(2):  # a job that runs twice tells nobody twice
                with worker():
                    tasks.tell_notices()
                with worker():
                    send_due_mails()
        told = {to: (percent, limit) for to, percent, limit in step.told}
        assert sorted(mail.to[0] for mail in mailoutbox) == sorted(told), step.at
        for mail in mailoutbox:
            percent, limit = told[mail.to[0]]
            assert limit in mail.subject and percent in mail.subject, mail.subject
            lang = language_of(mail.to[0])
            assert f'<html lang="{lang}">' in mail.alternatives[0].content
        # on the page too, but for the address outside
        pages += sum("@forty." in to for to in told)
        on_page = NoticeDelivery.objects.filter(channel=DeliveryChannel.PAGE)
        assert on_page.count() == pages
    assert list(differences()) == []
