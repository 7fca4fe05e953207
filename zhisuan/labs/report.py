"""A grade as text: a line per criterion, what failed first and where, on one screen.

In: a `Grade` and its `Lab`.  Out: rich renderables, which read the same without colour.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from zhisuan.labs.grade import Grade, Judged
from zhisuan.labs.lab_file import Lab

SHOWN = 18
"""Lines shown of the first failure."""


def grade_text(lab: Lab, grade: Grade) -> RenderableType:
    """Title, criteria, total, the first failure."""
    title = f"{lab.title['en']} on {lab.machine}, seed {grade.seed}"
    parts: list[RenderableType] = [Text(title, style="bold"), "", _criteria(lab, grade)]
    first = grade.first_failure
    if first is not None:
        parts += ["", _failure(first)]
    return Group(*parts)


def _criteria(lab: Lab, grade: Grade) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_footer=True, footer_style="bold")
    several = len(lab.parts) > 1
    if several:
        table.add_column("part", no_wrap=True)
    table.add_column("criterion", footer="total", no_wrap=True)
    table.add_column("points", footer=f"{grade.points}/{grade.most}", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("found", overflow="fold")
    for item in grade.judged:
        done = item.outcome
        verdict = Text("passed", "green") if done.passed else Text("failed", "bold red")
        cells = [item.criterion, f"{done.points}/{item.most}", verdict, Text(done.note)]
        table.add_row(*([item.part] if several else []), *cells)
    return table


def _failure(item: Judged) -> Group:
    lines = item.outcome.why.splitlines()
    rest = [] if len(lines) <= SHOWN else [f"and {len(lines) - SHOWN} lines more: --json has all"]
    text = "\n".join(lines[:SHOWN] + rest)
    return Group(Text(f"first to mend: {item.criterion}", style="bold"), Text(text))


def catalogue_table(labs: Sequence[Lab]) -> Table:
    """A line per lab."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head, right in (("lab", False), ("", False), ("", False), ("points", True), ("min", True)):
        table.add_column(head, justify="right" if right else "left")
    for lab in labs:
        table.add_row(lab.name, lab.title["en"], lab.title["zh"], str(lab.points), str(lab.minutes))
    return table
