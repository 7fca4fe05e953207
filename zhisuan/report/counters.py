"""Hit rates as counters on hardware show them: rows of the DRAM and their like.

Comes in: a `Timing`.  Goes out: lines for the key figures, only of what was used.
"""

from __future__ import annotations

from zhisuan.report import quantities as q
from zhisuan.sim.timing import Timing

HITS = {
    "DRAM rows": ("row hits", "row misses"),
    "LLC": ("LLC hits", "LLC misses"),
    "TLB": ("TLB hits", "TLB misses"),
    "fetch": ("fetch hits", "fetch misses"),
}
"""What hits and misses, by the name people read."""
OTHERS = {"DRAM rows": "turn-arounds"}
"""What else is counted there."""


def counts(timing: Timing) -> dict[str, int]:
    """Events of the whole run by name."""
    sums = timing.events.sum(axis=0).tolist()
    return dict(zip(timing.event_names, sums, strict=True))


def counter_rows(timing: Timing) -> list[tuple[str, str, str]]:
    """(`DRAM rows`, `73.1 %`, `found open; 2,016 of 7,502 opened, 12 turn-arounds`)."""
    counted, rows = counts(timing), []
    for name, (hits, misses) in HITS.items():
        visits = counted[hits] + counted[misses]
        if not visits:
            continue
        more = f"hits; {q.count(counted[misses])} of {q.count(visits)} miss"
        if name in OTHERS:
            more += f", {q.count(counted[OTHERS[name]])} {OTHERS[name]}"
        rows.append((name, q.percent(counted[hits] / visits), more))
    return rows
