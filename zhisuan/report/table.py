"""The run as text for a terminal or a pipe: a summary, then a line per layer.

In: a `RunReport`.  Out: rich tables, which read the same without colour.  It never writes a
file and never computes a figure.
"""

from __future__ import annotations

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from zhisuan.report import quantities as q
from zhisuan.report.costs import cost_rows
from zhisuan.report.counters import counter_rows
from zhisuan.report.model import Figures, RunReport, layer_figures, total_figures
from zhisuan.report.palette import UNIT_NAMES, cause_name

WIDE = 100
"""Terminal columns from which the table also shows what each layer waits for."""


def print_report(report: RunReport, console: Console | None = None) -> None:
    """Summary and per-layer table to standard output (or to `console`)."""
    console = console or Console(highlight=False, soft_wrap=False)
    console.print(summary(report))
    console.print()
    console.print(layer_table(report, console.width))


def summary(report: RunReport) -> Group:
    """Title, machine, and the five key figures with what they mean."""
    total = total_figures(report)
    machine = report.machine
    bandwidth = total.dram_bytes / total.seconds if total.seconds else 0.0
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(justify="right", style="bold", no_wrap=True)
    grid.add_column()
    grid.add_row(
        "cycles",
        q.count(total.cycles),
        f"{q.milliseconds(total.milliseconds)} ms at {q.clock(machine.clock_hz)}",
    )
    grid.add_row(
        "MAC utilisation",
        q.percent(total.utilisation),
        f"{q.scaled(total.macs, 'MAC')} of {report.peak.macs_per_cycle:,} per cycle",
    )
    grid.add_row(
        "DRAM traffic",
        q.scaled(total.dram_bytes, "B"),
        f"{q.scaled(total.dram_read, 'B')} read, {q.scaled(total.dram_written, 'B')} written; "
        f"{q.scaled(bandwidth, 'B/s')} of {q.scaled(machine.dram.bytes_per_second, 'B/s')}",
    )
    for row in (*counter_rows(report.timing), *cost_rows(report)):
        grid.add_row(*row)
    if report.host_seconds:
        parts = ", ".join(f"{name} {q.seconds(s)}" for name, s in report.host_seconds.items())
        grid.add_row("host time", q.seconds(sum(report.host_seconds.values())), parts)
    return Group(Text(report.title, style="bold"), Text(machine.title, style="dim"), "", grid)


def layer_table(report: RunReport, width: int) -> Table:
    """A line per layer and one for the whole, fitted to `width` terminal columns."""
    wide = width >= WIDE
    table = Table(box=None, show_footer=True, padding=(0, 2, 0, 0), footer_style="bold")
    total = total_figures(report)
    heads = ("cycles", "ms", "MAC use", "read MB", "written")
    table.add_column("layer", footer="all", no_wrap=True, overflow="ellipsis")
    for head, foot in zip(heads, _numbers(total), strict=True):
        table.add_column(head, footer=foot, justify="right", no_wrap=True)
    table.add_column("busiest", footer=_busiest(total), no_wrap=True)
    if wide:
        table.add_column("mostly waits for", footer=_waits(total), no_wrap=True)
    for figures in layer_figures(report):
        cells = [Text(figures.label), *_numbers(figures), _busiest(figures)]
        table.add_row(*cells, *([_waits(figures)] if wide else []))
    return table


def _numbers(figures: Figures) -> tuple[str, ...]:
    return (
        q.count(figures.cycles),
        q.milliseconds(figures.milliseconds),
        q.percent(figures.utilisation) if figures.macs else "–",
        q.megabytes(figures.dram_read),
        q.megabytes(figures.dram_written),
    )


def _busiest(figures: Figures) -> str:
    share = figures.busy_share(figures.busiest)
    return f"{UNIT_NAMES[figures.busiest]} {share * 100:.0f} %"


def _waits(figures: Figures) -> str:
    cause, share = figures.main_stall
    return f"{cause_name(cause)} {share * 100:.0f} %" if share >= 0.005 else "–"
