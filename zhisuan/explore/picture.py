"""The Pareto fronts as one SVG picture: a panel for each program.

Comes in: rows of the table and which of them are on the fronts.  Goes out: SVG text.
Horizontal: area of the chip; vertical: duration; colour: energy; both axes logarithmic.  The
points of the front are large, the others small; the line is the front of area and duration
alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

import numpy as np

from zhisuan.explore.pareto import TextRow, front
from zhisuan.report.roofline import ticks

WIDTH, PANEL = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 66, 120, 34, 46
LOW, HIGH = (0x2A, 0x78, 0x8E), (0xE0, 0x7B, 0x2E)
"""Colours of the least and the most energy."""
FEWEST_MARKS = 3
INK, FAINT = "#22302f", "#d9dedc"


class Scale:
    """Values low..high, logarithmic, onto pixels from..to."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        low, high = log10(min(values)), log10(max(values))
        margin = max(0.04 * (high - low), 0.01)
        self.low, self.high, self.start, self.end = low - margin, high + margin, start, end

    def marks(self) -> list[float]:
        """Round numbers to write at the axis: of each decade, or evenly apart in a short range."""
        found = ticks(self.low, self.high)
        if len(found) >= FEWEST_MARKS:
            return found
        low, high = 10**self.low, 10**self.high
        step = 10.0 ** floor(log10((high - low) / FEWEST_MARKS))
        step *= max(factor for factor in (1, 2, 5) if factor * step <= (high - low) / FEWEST_MARKS)
        return [count * step for count in range(ceil(low / step), floor(high / step) + 1)]

    def share(self, value: float) -> float:
        return (log10(value) - self.low) / (self.high - self.low)

    def __call__(self, value: float) -> float:
        return self.start + self.share(value) * (self.end - self.start)


def picture(
    rows: Sequence[TextRow],
    fronts: Mapping[str, Sequence[TextRow]],
    bases: Mapping[str, TextRow],
) -> str:
    """The SVG; `bases` are rows of the machine that was varied, marked by its name."""
    panels = []
    for number, (program, best) in enumerate(fronts.items()):
        timed = [row for row in rows if row["program"] == program and row.get("millijoules")]
        if timed:
            body = _panel(program, timed, best, bases.get(program))
            panels.append(f'<g transform="translate(0 {number * PANEL})">{body}</g>')
    height = PANEL * max(len(fronts), 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join(panels)
        + "</svg>\n"
    )


def _panel(
    program: str, timed: Sequence[TextRow], best: Sequence[TextRow], base: TextRow | None
) -> str:
    shown = [*timed, *([base] if base and base.get("millijoules") else [])]

    def column(name: str) -> list[float]:
        return [float(row[name]) for row in shown]

    x = Scale(column("square_millimetres"), LEFT, WIDTH - RIGHT)
    y = Scale(column("milliseconds"), PANEL - BOTTOM, TOP)
    energy = Scale(column("millijoules"), 0, 1)
    chosen = {row["point"] for row in best}
    plain = [row for row in timed if row["point"] not in chosen]
    count = f"{len(timed):,} machines, {len(best)} on the front"
    return "\n".join(
        [
            f'<text x="{LEFT}" y="20" font-size="14"><tspan font-weight="600">{escape(program)}'
            f"</tspan>: {count}</text>",
            _axes(x, y),
            *(_dot(row, x, y, energy, large=False) for row in plain),
            _stairs(timed, x, y),
            *(_dot(row, x, y, energy, large=True) for row in best),
            _base(base, x, y) if base and base.get("millijoules") else "",
            _legend(energy),
        ]
    )


def _place(row: TextRow, x: Scale, y: Scale) -> tuple[float, float]:
    return x(float(row["square_millimetres"])), y(float(row["milliseconds"]))


def _colour(share: float) -> str:
    mixed = [round(a + (b - a) * share) for a, b in zip(LOW, HIGH, strict=True)]
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _dot(row: TextRow, x: Scale, y: Scale, energy: Scale, *, large: bool) -> str:
    across, down = _place(row, x, y)
    fill = _colour(energy(float(row["millijoules"])))
    style = f'r="5" stroke="{INK}"' if large else 'r="2" fill-opacity="0.6"'
    facts = f"{row['milliseconds']} ms, {row['millijoules']} mJ, {row['square_millimetres']} mm²"
    title = escape(f"point {row['point']}: {facts}")
    return (
        f'<circle cx="{across:.1f}" cy="{down:.1f}" {style} fill="{fill}">'
        f"<title>{title}</title></circle>"
    )


def _stairs(timed: Sequence[TextRow], x: Scale, y: Scale) -> str:
    """The front of area and duration alone, as steps."""
    places = np.array([[float(r["square_millimetres"]), float(r["milliseconds"])] for r in timed])
    corners = sorted(map(tuple, places[front(places)]))
    path = f"M{x(corners[0][0]):.1f} {y(corners[0][1]):.1f}"
    for area, duration in corners[1:]:
        path += f"H{x(area):.1f}V{y(duration):.1f}"
    return f'<path d="{path}" fill="none" stroke="{INK}" stroke-opacity="0.5"/>'


def _base(base: TextRow, x: Scale, y: Scale) -> str:
    across, down = _place(base, x, y)
    cross = f"M{across - 6:.1f} {down:.1f}h12m-6 -6v12"
    return (
        f'<path d="{cross}" stroke="#b3261e" stroke-width="2"/>'
        f'<text x="{across + 9:.1f}" y="{down - 5:.1f}" fill="#b3261e" stroke="#ffffff" '
        f'stroke-width="3" paint-order="stroke">{escape(base["point"])}</text>'
    )


def _axes(x: Scale, y: Scale) -> str:
    parts = []
    for value in x.marks():
        parts.append(f'<path d="M{x(value):.1f} {TOP}V{PANEL - BOTTOM}" stroke="{FAINT}"/>')
        label = f'<text x="{x(value):.1f}" y="{PANEL - BOTTOM + 16}" text-anchor="middle">'
        parts.append(f"{label}{value:.6g}</text>")
    for value in y.marks():
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="{FAINT}"/>')
        label = f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">'
        parts.append(f"{label}{value:.6g}</text>")
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{PANEL - 10}" text-anchor="middle">area, mm²</text>')
    turned = f"rotate(-90 16 {PANEL / 2})"
    parts.append(
        f'<text x="16" y="{PANEL / 2}" text-anchor="middle" transform="{turned}">'
        "duration, ms</text>"
    )
    return "\n".join(parts)


def _legend(energy: Scale) -> str:
    """The colours with their energies, least below."""
    left, top, step = WIDTH - RIGHT + 24, TOP + 20, 22
    parts = [f'<text x="{left}" y="{top - 8}">energy, mJ</text>']
    for index in range(6):
        share = 1 - index / 5
        value = 10 ** (energy.low + share * (energy.high - energy.low))
        parts.append(f'<rect x="{left}" y="{top + index * step}" width="16" height="{step}" '
                     f'fill="{_colour(share)}"/>')  # fmt: skip
        parts.append(f'<text x="{left + 22}" y="{top + index * step + 15}">{value:.3g}</text>')
    return "\n".join(parts)
