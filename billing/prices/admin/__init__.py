"""Operators' pages of prices, factors, names and what seats include; and where a change of
one is taken back.
"""

from __future__ import annotations

from accounts.panels import UndoPage, register_undo_page
from billing.prices.admin import allowances, factors, prices
from billing.prices.admin.allowance_steps import SetAllowance, undo_allowance
from billing.prices.admin.factor_steps import FactorStep, undo_factor
from billing.prices.admin.name_steps import NameStep, undo_name
from billing.prices.admin.rate_steps import RateStep, undo_rates

__all__ = ["allowances", "factors", "prices"]

for action, step, url in (
    ("prices.correct", RateStep, undo_rates),
    ("prices.factor", FactorStep, undo_factor),
    ("prices.name", NameStep, undo_name),
    ("allowance.edit", SetAllowance, undo_allowance),
):
    register_undo_page(action, UndoPage(step.permission, url))
