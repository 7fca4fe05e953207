"""Ladders as one SVG picture: a bar for each rung, on a logarithmic scale up to the peak.

Comes in: for every ladder its title and (rung, share of the matrix units' peak, share of DRAM's
bandwidth).  Goes out: SVG text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

WIDTH, LEFT, RIGHT = 760, 130, 70
TITLE, ROW, GAP, AXIS, LEGEND = 34, 24, 4, 34, 26
INK, FAINT, MATRIX, DRAM = "#22302f", "#d9dedc", "#2a788e", "#b3261e"
HALO = 'stroke="#ffffff" stroke-width="3" paint-order="stroke"'


@dataclass(frozen=True)
class Panel:
    title: str
    rungs: Sequence[tuple[str, float, float]]

    @property
    def bottom(self) -> int:
        return TITLE + ROW * len(self.rungs)


def percentage(share: float) -> str:
    """Two digits or more; a dash for nothing."""
    if not share:
        return "–"
    percent = 100 * share
    return f"{percent:.1f} %" if percent >= 0.1 else f"{percent:.2g} %"


def draw(panels: Sequence[Panel]) -> str:
    """The panels below each other, on one scale from a power of ten to the peak."""
    low = floor(min(log10(matrix) for panel in panels for _, matrix, _ in panel.rungs))
    parts, top = [_legend()], LEGEND
    for panel in panels:
        body = "\n".join([*_axis(panel, low), *_bars(panel, low)])
        parts.append(f'<g transform="translate(0 {top})">{body}</g>')
        top += panel.bottom + AXIS
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}">\n'
        f'<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _x(share: float, low: int) -> float:
    """Where a share lies between 10^low and 1."""
    return LEFT + (1 - log10(share) / low) * (WIDTH - LEFT - RIGHT)


def _legend() -> str:
    return (
        f'<rect x="{LEFT}" y="10" width="22" height="12" fill="{MATRIX}"/>'
        + _text(LEFT + 28, 20, "of the matrix units' peak", "start")
        + _mark(LEFT + 222, 8, 16)
        + _text(LEFT + 232, 20, "of DRAM's bandwidth", "start")
    )


def _axis(panel: Panel, low: int) -> list[str]:
    title = f'<text x="{LEFT}" y="22" font-size="14" font-weight="600">{escape(panel.title)}</text>'
    parts = [title]
    for power in range(low, 1):
        at, mark = _x(10.0**power, low), f"{100 * 10.0**power:g} %"
        parts.append(f'<path d="M{at:.1f} {TITLE}V{panel.bottom}" stroke="{FAINT}"/>')
        parts.append(_text(at, panel.bottom + 16, mark, "middle"))
    return parts


def _bars(panel: Panel, low: int) -> list[str]:
    parts = []
    for row, (label, matrix, dram) in enumerate(panel.rungs):
        top, height = TITLE + ROW * row + GAP, ROW - 2 * GAP
        middle = top + height / 2 + 5
        end = _x(matrix, low)
        parts.append(_text(LEFT - 8, middle, label, "end"))
        parts.append(f'<rect x="{LEFT}" y="{top}" width="{end - LEFT:.1f}" height="{height}" '
                     f'fill="{MATRIX}"/>')  # fmt: skip
        if dram:
            parts.append(_mark(_x(dram, low), top - 2, height + 4))
        parts.append(_text(WIDTH - RIGHT + 8, middle, percentage(matrix), "start"))
    return parts


def _mark(x: float, top: float, height: float) -> str:
    return f'<path d="M{x:.1f} {top}v{height}" stroke="{DRAM}" stroke-width="3"/>'


def _text(x: float, y: float, said: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {HALO}>{escape(said)}</text>'
