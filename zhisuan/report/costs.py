"""Energy and area of a run's machine, as rows of a table.

In: a `RunReport`.  Out: rich tables, or rows; nothing where the machine has no [technology].
It never counts anything: sim.energy and arch.area do.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from zhisuan.arch.area import area
from zhisuan.report import quantities as q
from zhisuan.report.model import RunReport, total_figures
from zhisuan.sim.energy import energy

LARGEST = 3
"""Parts that a one-line summary names."""
FEMTO = 1e-15


def cost_rows(report: RunReport) -> list[tuple[str, str, str]]:
    """(what, how much, of what mostly) for the summary; empty without a [technology]."""
    if report.machine.technology is None:
        return []
    spent = energy(report.trace, report.timing, report.machine).by_part()
    total = sum(spent.values()) * FEMTO
    seconds = total_figures(report).seconds
    watts = f"{q.small(total / seconds, 'W')}; " if seconds else ""
    parts = area(report.machine)
    return [
        ("energy", q.small(total, "J"), watts + _largest(spent)),
        ("chip area", _square_millimetres(sum(parts.values())), _largest(parts)),
    ]


def cost_tables(report: RunReport) -> list[Table]:
    """Energy and area part by part; a machine without a [technology] is an error."""
    spent = energy(report.trace, report.timing, report.machine).by_part()
    parts = {name: size for name, size in area(report.machine).items() if size}
    joules = {name: q.small(amount * FEMTO, "J") for name, amount in spent.items()}
    sizes = {name: _square_millimetres(size) for name, size in parts.items()}
    whole = q.small(sum(spent.values()) * FEMTO, "J"), _square_millimetres(sum(parts.values()))
    return [_table("energy", spent, joules, whole[0]), _table("area", parts, sizes, whole[1])]


def _table(head: str, parts: Mapping[str, float], shown: Mapping[str, str], whole: str) -> Table:
    table = Table(box=None, show_footer=True, padding=(0, 2, 0, 0), footer_style="bold")
    table.add_column("part", footer="all", no_wrap=True, min_width=8)
    table.add_column(head, footer=whole, justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    total = sum(parts.values())
    for name, amount in parts.items():
        table.add_row(name, shown[name], q.percent(amount / total))
    return table


def _largest(parts: Mapping[str, float]) -> str:
    """`DRAM 40 %, WRAM 20 %, …`: the largest parts."""
    total = sum(parts.values())
    first = sorted(parts, key=lambda name: -parts[name])[:LARGEST]
    return ", ".join(f"{name} {parts[name] / total * 100:.0f} %" for name in first)


def _square_millimetres(value: float) -> str:
    return f"{value:.2f} mm²"
