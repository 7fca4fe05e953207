"""Bars as one SVG picture: panels of ratios on a logarithmic scale, each with a claim to reach.

Comes in: for every panel its title, the claim, and (label, ratio) pairs; a ratio of None has no
bar.  Goes out: SVG text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, LEFT, RIGHT = 720, 236, 60
TITLE, ROW, GAP, AXIS = 34, 24, 4, 34
INK, FAINT, BAR, CLAIM = "#22302f", "#d9dedc", "#2a788e", "#b3261e"
HALO = 'stroke="#ffffff" stroke-width="3" paint-order="stroke"'

Bar = tuple[str, float | None]


@dataclass(frozen=True)
class Panel:
    title: str
    claim: float
    bars: Sequence[Bar]

    @property
    def bottom(self) -> int:
        return TITLE + ROW * len(self.bars)


@dataclass(frozen=True)
class Scale:
    """From 10^low to 10^high times."""

    low: int
    high: int

    def x(self, ratio: float) -> float:
        return LEFT + (log10(ratio) - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT)


def draw(panels: Sequence[Panel]) -> str:
    """The panels below each other, on one scale."""
    known = [1.0, *(panel.claim for panel in panels)]
    known += [ratio for panel in panels for _, ratio in panel.bars if ratio]
    scale = Scale(floor(log10(min(known))), ceil(log10(max(known))))
    parts, top = [], 0
    for panel in panels:
        body = "\n".join([*_axis(panel, scale), _claim(panel, scale), *_bars(panel, scale)])
        parts.append(f'<g transform="translate(0 {top})">{body}</g>')
        top += panel.bottom + AXIS
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}">\n'
        f'<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _axis(panel: Panel, scale: Scale) -> list[str]:
    title = f'<text x="{LEFT}" y="20" font-size="14" font-weight="600">{escape(panel.title)}</text>'
    parts = [title]
    for power in range(scale.low, scale.high + 1):
        at, mark = scale.x(10.0**power), f"{10.0**power:g}×"
        parts.append(f'<path d="M{at:.1f} {TITLE}V{panel.bottom}" stroke="{FAINT}"/>')
        parts.append(_text(at, panel.bottom + 16, mark, "middle"))
    return parts


def _bars(panel: Panel, scale: Scale) -> list[str]:
    parts, one = [], scale.x(1)
    for row, (label, ratio) in enumerate(panel.bars):
        top = TITLE + ROW * row + GAP
        middle = top + (ROW - 2 * GAP) / 2 + 5
        parts.append(_text(LEFT - 8, middle, label, "end"))
        start, end = sorted((one, scale.x(ratio or 1)))
        size = f'width="{end - start:.1f}" height="{ROW - 2 * GAP}"'
        parts.append(f'<rect x="{start:.1f}" y="{top}" {size} fill="{BAR}"/>')
        said = "not known" if ratio is None else f"{ratio:.3g}×"
        parts.append(_text(end + 5, middle, said, "start"))
    return parts


def _claim(panel: Panel, scale: Scale) -> str:
    at = scale.x(panel.claim)
    line = f'<path d="M{at:.1f} {TITLE - 4}V{panel.bottom}" stroke="{CLAIM}"'
    said = f'<text x="{at:.1f}" y="{TITLE - 8}" text-anchor="middle" fill="{CLAIM}">'
    return f'{line} stroke-dasharray="4 3"/>{said}the claim: {panel.claim:g}×</text>'


def _text(x: float, y: float, said: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text {place} {HALO}>{escape(said)}</text>"
