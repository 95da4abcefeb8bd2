"""A customer's extra usage is stopped at once, and goes on again: previewed, with a
reason, kept, undone.
"""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry, Plan
from billing.funding.queries import organization_standing
from billing.models import BillingAccount
from tests.customer.conftest import page_url, preview, step_url, take, text_of
from tests.factories.balances import make_bolt
from tests.factories.usage import enable_extra_usage


@pytest.fixture(autouse=True)
def _at(now, time_machine):
    time_machine.move_to(now, tick=False)


def is_on(organization) -> bool:
    return BillingAccount.objects.get(organization=organization).extra_usage_enabled


def test_extra_usage_is_stopped_and_goes_on_again(administrator, acme):
    enable_extra_usage(acme)
    shown = text_of(preview(administrator, acme, "extra-usage-off"))
    assert "Nobody at Acme could spend more from the next request on." in shown
    assert is_on(acme)
    done = text_of(take(administrator, acme, "extra-usage-off"))
    assert "Extra usage of Acme is off." in done
    assert not is_on(acme)
    entry = AuditEntry.objects.get(action="extra_usage.switch")
    assert entry.reason == "Ticket 8841"
    assert step_url(acme, "extra-usage-on") in text_of(
        administrator.get(page_url(acme))
    )  # the way back
    take(administrator, acme, "extra-usage-on")
    assert is_on(acme)


def test_a_usage_based_customer_is_stopped_by_a_cap_of_nothing(
    administrator, acme, now
):
    acme.plan = Plan.ENTERPRISE_USAGE
    acme.save(update_fields=["plan"])
    enable_extra_usage(acme, cap="500")
    shown = text_of(preview(administrator, acme, "extra-usage-off"))
    assert "$500.00 → $0.00" in shown
    take(administrator, acme, "extra-usage-off")
    assert organization_standing(acme.pk, now=now).cap.amount_nanos == 0


def test_without_a_balance_it_is_refused_before_the_button(administrator, now):
    bolt = make_bolt(now=now)
    answer = preview(administrator, bolt, "extra-usage-on")
    assert answer.status_code == 422
    assert "its balance is $0.00. Buy extra usage first" in text_of(answer)


def test_support_can_not_stop_anybody(support, acme):
    enable_extra_usage(acme)
    assert support.get(step_url(acme, "extra-usage-off")).status_code == 403
    assert is_on(acme)
