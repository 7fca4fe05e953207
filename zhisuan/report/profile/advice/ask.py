"""All rules asked, and their advice in order.

Comes in: a `Profile`.  Goes out: a list of `Advice`.
"""

from __future__ import annotations

from zhisuan.report.profile.advice import chip_rules, code_rules, transfer_rules, unit_rules
from zhisuan.report.profile.advice.advice import LEAST_GAIN, Advice, Rule
from zhisuan.report.profile.advice.bounds import Bounds
from zhisuan.report.profile.advice.facts import Facts
from zhisuan.report.profile.profile import Profile

MOST = 6
RULES: tuple[Rule, ...] = (
    *transfer_rules.RULES, *code_rules.RULES, *unit_rules.RULES, *chip_rules.RULES,
)  # fmt: skip


def advise(profile: Profile) -> list[Advice]:
    """What to change, the largest bound first."""
    if not profile.total:
        return []
    facts, bounds = Facts(profile), Bounds(profile)
    found = [advice for rule in RULES for advice in rule(facts, bounds)]
    worthy = [advice for advice in found if advice.gain >= LEAST_GAIN]
    return sorted(worthy, key=lambda advice: -advice.gain)[:MOST]
