"""The data of the page, as small as it can be.

Comes in: a `Profile`.  Goes out: a JSON-ready dict; `profile.js` is its only reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from zhisuan.isa.disasm import format_instruction
from zhisuan.report.palette import UNIT_NAMES, Cause, cause
from zhisuan.report.profile.charges import KIND_NAMES, VIEWS
from zhisuan.report.profile.kinds import kind
from zhisuan.report.profile.lines import by_line
from zhisuan.report.profile.occupancy import LINE, Occupancy
from zhisuan.report.profile.profile import Profile
from zhisuan.sim.tasks import MEMORY_CORE

COLUMNS = 300
"""Stretches of time in a picture of a memory."""
HOLDERS = 9
"""Names in such a picture; the smaller ones share one."""
MOST_LINES = 4000
"""Of a file that are sent in full; of a longer one those near charged lines."""
AROUND = 8


def kinds() -> list[Cause]:
    """All that a bar can show; `kind_number` counts them."""
    return [kind(name) for name in KIND_NAMES["time"]] + [cause(n) for n in KIND_NAMES["scalar"]]


def payload(profile: Profile) -> dict[str, Any]:
    files = list(dict.fromkeys(line.file for line in profile.table.lines if line.number))
    return {
        "hz": profile.report.machine.clock_hz,
        "total": profile.total,
        "kinds": [{"name": entry.name, "doc": entry.doc} for entry in kinds()],
        "views": [{"name": _view_name(view), "first": _first(view)} for view in VIEWS],
        "cores": list(_cores(profile)),
        "files": [{"name": name, "text": _text(profile, name)} for name in files],
        "lines": [
            [files.index(line.file) if line.number else -1, line.number, line.where]
            for line in profile.table.lines
        ],
        "moved": _pairs(profile.sum_by_line(profile.moved.asked)),
        "words": _words(profile),
        "memories": list(_memories(profile)),
        "holders": [[holder.name, holder.where] for holder in profile.memories.holders],
    }


def _view_name(view: str) -> str:
    return "what held the core up" if view == "time" else f"{UNIT_NAMES[view]} unit"


def _first(view: str) -> int:
    """Where the kinds of a view begin among all."""
    return 0 if view == "time" else len(KIND_NAMES["time"])


def _cores(profile: Profile) -> Iterator[dict[str, Any]]:
    """All active cores together, then each."""
    if len(profile.active) > 1:
        yield {"name": f"all {len(profile.active)} cores", "cores": len(profile.active),
               **_charged(profile, profile.active)}  # fmt: skip
    for place in profile.active.tolist():
        cluster, core = profile.report.timing.cores[place]
        name = "memory core" if core == MEMORY_CORE else f"core {core}"
        yield {"name": f"cluster {cluster}, {name}", "cores": 1, "place": place,
               **_charged(profile, np.array([place]))}  # fmt: skip


def _charged(profile: Profile, places: np.ndarray) -> dict[str, Any]:
    views = []
    for view in VIEWS:
        table = by_line(profile.charges, profile.table, view, places)
        line, number = np.nonzero(table >= 0.05)
        cycles = table[line, number]
        flat = [
            [a, b + _first(view), _short(c)]
            for a, b, c in zip(line.tolist(), number.tolist(), cycles.tolist(), strict=True)
        ]
        views.append([value for entry in flat for value in entry])
    counts = np.zeros(len(profile.table.lines), np.int64)
    for name, executed in profile.charges.executed.items():
        np.add.at(counts, profile.table.of_word[name], executed[places].sum(axis=0))
    return {"views": views, "executed": _pairs(counts)}


def _short(value: float) -> int | float:
    """One decimal, and none where it is zero."""
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded


def _pairs(column: np.ndarray) -> list[int]:
    """index, value, index, value, … of what is not zero."""
    index = np.flatnonzero(column)
    return np.stack([index, column[index].astype(np.int64)], axis=1).reshape(-1).tolist()


def _text(profile: Profile, name: str) -> dict[str, str] | list[str]:
    """The lines of a file: all of them, or by number what is known, near charged lines."""
    lines = profile.sources.get(name, {})
    if len(lines) == max(lines, default=0) <= MOST_LINES:
        return [lines[number] for number in sorted(lines)]
    used = [line.number for line in profile.table.lines if line.file == name]
    near = {n for number in used for n in range(number - AROUND, number + AROUND + 1)}
    return {str(number): lines[number] for number in sorted(near & lines.keys())}


def _words(profile: Profile) -> dict[str, list[Any]]:
    """By line: [word, assembly, executed, kind, cycles, …] of all active cores."""
    charges = profile.charges
    here = charges.of("time") & np.isin(charges.place, profile.active)
    found: dict[str, list[Any]] = {}
    for number, name in enumerate(charges.programs):
        program = profile.report.programs.get(name)
        if program is None:
            continue
        mine = here & (charges.program == number)
        table = np.zeros((len(program.words), len(KIND_NAMES["time"])))
        np.add.at(table, (charges.pc[mine], charges.kind[mine]), charges.cycles[mine])
        executed = charges.executed[name][profile.active].sum(axis=0)
        for pc in np.flatnonzero((executed > 0) | (table.sum(axis=1) > 0)).tolist():
            text = format_instruction(int(program.words[pc]), pc, program.labels)
            spent = [
                value
                for kind in np.flatnonzero(table[pc] >= 0.05).tolist()
                for value in (kind, _short(table[pc, kind]))
            ]
            line = str(int(profile.table.of_word[name][pc]))
            entry = [f"{name}+{pc}", text, int(executed[pc]), *spent]
            found.setdefault(line, []).append(entry)
    return found


def _memories(profile: Profile) -> Iterator[dict[str, Any]]:
    """Of each active core NRAM and WRAM, of each cluster SRAM."""
    seen: set[tuple[str, int]] = set()
    for place in profile.active.tolist():
        cluster = profile.report.timing.cores[place][0]
        for one in profile.memories.of_core(place):
            shared = one.memory == "SRAM"
            if shared and (one.memory, cluster) in seen:
                continue
            seen.add((one.memory, cluster))
            owner = {"cluster": cluster} if shared else {"place": place}
            yield {"memory": one.memory, "size": one.size, **owner, **_picture(profile, one)}


def _picture(profile: Profile, one: Occupancy) -> dict[str, Any]:
    """Lines held in each of COLUMNS stretches, where the memory was fullest in it, by holder."""
    most = one.held.max(axis=1)
    order = np.argsort(-most, kind="stable")
    first, rest = order[:HOLDERS], order[HOLDERS:]
    edges = np.linspace(0, max(profile.total, 1), COLUMNS + 1)
    begin = np.maximum(np.searchsorted(one.moments, edges[:-1], "right") - 1, 0)
    end = np.searchsorted(one.moments, edges[1:], "left")
    total = one.total
    at = [a + int(np.argmax(total[a:b])) if b > a else a for a, b in zip(begin, end, strict=True)]
    before = edges[1:] <= (one.moments[0] if len(one.moments) else 0)
    held = np.where(before, 0, one.held[:, at])
    rows = [held[index] for index in first] + ([held[rest].sum(axis=0)] if len(rest) else [])
    peak = one.held[:, one.peak]
    return {
        "names": [*one.owners[first].tolist(), *([-1] if len(rest) else [])],
        "held": [(-(-row // LINE)).tolist() for row in rows],
        "peak": [int(one.moments[one.peak]), one.most],
        "parts": [
            [int(one.owners[i]), int(peak[i])] for i in np.argsort(-peak, kind="stable") if peak[i]
        ],
    }
