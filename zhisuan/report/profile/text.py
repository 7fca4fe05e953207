"""The profile for a terminal: the lines that take most of the time, then advice.

Comes in: a `Profile`.  Goes out: rich tables, which read the same without colour; or plain data.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from zhisuan.report import quantities as q
from zhisuan.report.profile.advice import Advice, advise
from zhisuan.report.profile.advice.words import size
from zhisuan.report.profile.blame import KINDS
from zhisuan.report.profile.kinds import kind_name
from zhisuan.report.profile.occupancy import Occupancy
from zhisuan.report.profile.profile import Profile

LINES = 10
LEAST_SHARE = 0.005
NO_ADVICE = "Nothing that the rules know takes a good part of the time."
HOLDERS = 3
"""Of a memory that are named."""
WIDE = 100
"""Terminal columns from which a line shows two kinds of what it is charged with."""


def print_profile(profile: Profile, console: Console | None = None) -> None:
    """To standard output, or to `console`."""
    console = console or Console(highlight=False, soft_wrap=False)
    console.print(Group(*summary(profile)))
    console.print()
    console.print(hot_lines(profile, console.width))
    console.print()
    console.print(advice_text(advise(profile)))


def summary(profile: Profile) -> list[Text]:
    report = profile.report
    cores = len(report.timing.cores)
    seconds = profile.total / report.machine.clock_hz
    took = f"{q.count(profile.total)} cycles, {q.small(seconds, 's')} at "
    took += q.clock(report.machine.clock_hz)
    lines = [Text(report.title, style="bold"), Text(report.machine.title, style="dim"), Text(took)]
    if cores > 1:
        lines.append(Text(f"{len(profile.active)} of {cores} cores took part; means over these"))
    lines += [Text(text, style="dim") for text in fullest(profile)]
    return lines


def fullest(profile: Profile) -> list[str]:
    """`NRAM holds 8 KiB at most, of 768 KiB: a 4 KiB, b 4 KiB`; of the core or cluster where it is
    fullest; of each memory that is used."""
    best: dict[str, Occupancy] = {}
    for place in profile.active.tolist():
        for one in profile.memories.of_core(place):
            if one.memory not in best or one.most > best[one.memory].most:
                best[one.memory] = one
    return [_fullest(profile, one) for one in best.values()]


def _fullest(profile: Profile, one: Occupancy) -> str:
    held = one.held[:, one.peak]
    order = [i for i in np.argsort(-held, kind="stable") if held[i]][:HOLDERS]
    parts = [
        f"{profile.memories.holders[int(one.owners[i])].name} {size(float(held[i]))}" for i in order
    ]
    more = ", …" if (held > 0).sum() > len(order) else ""
    return f"{one.memory} holds {size(one.most)} at most, of {size(one.size)}: " + (
        ", ".join(parts) + more
    )


def hot_lines(profile: Profile, width: int) -> Table:
    """The lines charged most, and with what, in `width` columns."""
    time = profile.time
    whole, cores = max(time.sum(), 1), max(len(profile.active), 1)
    order = sorted(range(len(time)), key=lambda line: -time[line].sum())
    kinds = 2 if width >= WIDE else 1
    rows = [
        (
            profile.table.lines[line].where,
            q.percent(time[line].sum() / whole),
            q.count(time[line].sum() / cores),
            mix(time[line], kinds),
            profile.text(line).strip(),
        )
        for line in order[:LINES]
        if time[line].sum() / whole >= LEAST_SHARE
    ]
    heads = ("line", "share", "cycles", "mostly", "source")
    table = Table(box=None, padding=(0, 2, 0, 0))
    room = width
    for column, head in enumerate(heads[:-1]):
        needed = max([len(head), *(len(row[column]) for row in rows)])
        table.add_column(
            head, no_wrap=True, min_width=needed,
            justify="right" if head in ("share", "cycles") else "left",
        )  # fmt: skip
        room -= needed + 2
    table.add_column(heads[-1], no_wrap=True, overflow="crop")
    for row in rows:
        table.add_row(*map(Text, row[:-1]), Text(_cut(row[-1], room - 2)))
    return table


def advice_text(advice: list[Advice]) -> Table:
    """What to change, numbered; words where nothing stands out."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    if not advice:
        table.add_row("", NO_ADVICE)
    for number, entry in enumerate(advice, 1):
        text = Text(entry.what)
        text.append(f" {entry.how}", style="dim")
        text.append(f" {gain_text(entry)}", style="bold")
        table.add_row(f"{number}.", text)
    return table


def gain_text(entry: Advice) -> str:
    """`At most 1.7 × faster.`"""
    return (
        f"At most {entry.gain:.1f} × faster."
        if entry.gain < 9.95
        else (f"At most {entry.gain:.0f} × faster.")
    )


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def mix(spent: np.ndarray, most: int) -> str:
    """`IO-DMA 97 %`, `vector 60 %, DRAM 35 %`: kinds that make up nine tenths, `most` at most."""
    order = np.argsort(-spent, kind="stable")[:most]
    if spent[order[0]] >= 0.9 * spent.sum():
        order = order[:1]
    shares = [(KINDS[kind], spent[kind] / spent.sum() * 100) for kind in order.tolist()]
    return ", ".join(f"{kind_name(name)} {share:.0f} %" for name, share in shares)


def to_json(profile: Profile) -> dict[str, Any]:
    """Every line with its cycles by kind, added up over the cores that took part."""
    lines = []
    for number in sorted(range(len(profile.time)), key=lambda line: -profile.time[line].sum()):
        spent = profile.time[number]
        if not spent.sum():
            continue
        line = profile.table.lines[number]
        lines.append(
            {
                "line": line.where,
                "source": profile.text(number).strip(),
                "cycles": float(spent.sum()),
                "by_kind": {KINDS[k]: float(spent[k]) for k in np.flatnonzero(spent).tolist()},
                "executed": int(profile.executed[number]),
            }
        )
    return {
        "title": profile.report.title,
        "machine": profile.report.machine.name,
        "cycles": profile.total,
        "cores": len(profile.active),
        "lines": lines,
        "advice": [
            {
                "rule": entry.rule,
                "what": entry.what,
                "how": entry.how,
                "lines": [profile.table.lines[line].where for line in entry.lines],
                "share": entry.share,
                "at_most_faster": entry.gain,
            }
            for entry in advise(profile)
        ],
    }
