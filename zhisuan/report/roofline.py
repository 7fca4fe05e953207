"""The roofline as SVG: what each layer reached, below what the machine allows.

In: figures per layer and the machine.  Out: an SVG element that takes its colours from the
page.  Horizontal: graph MACs per DRAM byte; vertical: graph MACs per second; both logarithmic.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import atan, ceil, degrees, floor, log10

from zhisuan.arch.machine import Machine
from zhisuan.report import quantities as q
from zhisuan.report.model import Figures

WIDTH, HEIGHT = 620, 420
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 20, 46
CHARACTER = 6.4
"""Width of a character of a label, generously."""
DIRECTIONS = ((1, 0), (1, 1), (-1, 0), (-1, 1), (0, 1), (1, -1), (-1, -1), (0, -1))
"""Where a label may lie from its point, best first: right, then below, then left and above."""
LEAST_SHARE = 0.001
"""Layers with a smaller part of the MACs would only stretch the picture."""
NEAR = 5.0
"""Points closer than this share one label."""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Point = tuple[float, float, int, Figures]
"""Place in the picture, the layer's number (0: the whole network), its figures."""


@dataclass(frozen=True)
class Roof:
    """What a roofline counts, in words: the unit under the flat roof, the unit of work, and the
    axis of work per byte."""

    unit: str = "matrix unit"
    work: str = "MAC"
    axis: str = "graph MACs per byte of DRAM traffic"


@dataclass(frozen=True)
class Scales:
    """What is shown, as powers of ten: 10^x0..10^x1 MACs per byte, 10^y0..10^y1 MACs/s."""

    x0: float
    x1: float
    y0: float
    y1: float

    def x(self, intensity: float) -> float:
        share = (log10(intensity) - self.x0) / (self.x1 - self.x0)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, rate: float) -> float:
        share = (log10(rate) - self.y0) / (self.y1 - self.y0)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def ticks(low: float, high: float) -> list[float]:
    """The numbers 1, 2, 5 · 10^k between 10^low and 10^high; only 10^k when these are many."""
    powers = range(floor(low), ceil(high) + 1)
    steps = (1, 2, 5) if high - low < 2.6 else (1,)
    marks = [step * 10.0**power for power in powers for step in steps]
    return [mark for mark in marks if 10**low <= mark <= 10**high * 1.0001]


def has_place(figures: Figures, whole: Figures) -> bool:
    """Whether a layer is shown: it has DRAM traffic, and MACs worth speaking of."""
    return figures.intensity > 0 and figures.macs >= LEAST_SHARE * whole.macs


def roofline_svg(
    layers: list[Figures], whole: Figures, machine: Machine, macs_per_cycle: int,
    roof: Roof | None = None,
) -> str:  # fmt: skip
    """The picture; which layers it shows, `has_place` says."""
    roof = roof or Roof()
    shown = [(i, f) for i, f in enumerate(layers, 1) if has_place(f, whole)]
    peak = macs_per_cycle * machine.clock_hz
    bandwidth = machine.dram.bytes_per_second
    scales = _scales([f for _, f in shown], peak, peak / bandwidth)
    parts = [_grid(scales, roof), _roof(scales, peak, bandwidth, roof)]
    points = [(scales.x(f.intensity), scales.y(f.rate), i, f) for i, f in shown]
    for x, y, _, figures in points:
        parts.append(_point(x, y, figures, "point", 4.5, roof))
    if whole.intensity > 0:
        x, y = scales.x(whole.intensity), scales.y(whole.rate)
        parts.append(_point(x, y, whole, "whole", 6, roof))
        points.append((x, y, 0, whole))
    parts.extend(_labels(points, _roof_boxes(scales, peak, bandwidth)))
    return (
        f'<svg class="roofline" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Roofline: attained against possible rate per layer">{"".join(parts)}</svg>'
    )


def _scales(shown: list[Figures], peak: float, ridge: float) -> Scales:
    """The points with room around them, and enough of the bandwidth slope to see it."""
    xs = [f.intensity for f in shown] or [ridge]
    ys = [f.rate for f in shown] or [peak]
    x0 = log10(min(min(xs) / 1.7, ridge / 4))
    y0 = log10(min(min(ys) / 2.2, peak / 8))
    return Scales(x0, log10(max(max(xs) * 2.2, ridge * 4)), y0, log10(peak * 1.8))


def _grid(s: Scales, roof: Roof) -> str:
    parts = []
    floor_y = HEIGHT - BOTTOM
    for value in ticks(s.x0, s.x1):
        x = s.x(value)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{floor_y}"/>')
        parts.append(f'<text x="{x:.1f}" y="{floor_y + 17}" text-anchor="middle">{value:,g}</text>')
    for value in ticks(s.y0, s.y1):
        y = s.y(value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value / 1e9:,g}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{roof.axis}</text>')
    parts.append(f'<text x="0" y="{TOP - 8}">G{roof.work}/s</text>')
    return "".join(parts)


def _roof(s: Scales, peak: float, bandwidth: float, roof: Roof) -> str:
    left, right = 10**s.x0, 10**s.x1
    start = max(left, 10**s.y0 / bandwidth)
    ridge = peak / bandwidth
    corners = [(start, start * bandwidth), (ridge, peak), (right, peak)]
    line = " ".join(f"{s.x(x):.1f},{s.y(y):.1f}" for x, y in corners)
    floor_y = HEIGHT - BOTTOM
    under = f"{line} {s.x(right):.1f},{floor_y} {s.x(start):.1f},{floor_y}"
    middle = (start * ridge) ** 0.5
    x, y = s.x(middle), s.y(middle * bandwidth)
    angle = degrees(atan((s.y(peak) - s.y(start * bandwidth)) / (s.x(ridge) - s.x(start))))
    return (
        f'<polygon class="under" points="{under}"/><polyline class="roof" points="{line}"/>'
        f'<text class="name" x="{s.x(right) - 4:.1f}" y="{s.y(peak) - 7:.1f}" '
        f'text-anchor="end">{roof.unit}, {q.scaled(peak, roof.work + "/s")}</text>'
        f'<text class="name" text-anchor="middle" '
        f'transform="translate({x:.1f} {y:.1f}) rotate({angle:.1f}) translate(0 -8)">'
        f"DRAM, {q.scaled(bandwidth, 'B/s')}</text>"
    )


def _point(x: float, y: float, figures: Figures, kind: str, radius: float, roof: Roof) -> str:
    title = (
        f"{figures.label}: {q.scaled(figures.rate, roof.work + '/s')}, "
        f"{figures.intensity:.1f} {roof.work}s per byte, {q.percent(figures.utilisation)} of peak"
    )
    return (
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}">'
        f"<title>{escape(title)}</title></circle>"
    )


def _roof_boxes(s: Scales, peak: float, bandwidth: float) -> list[Box]:
    """Where no label may lie: along the roof, and on the roof's own names."""
    boxes: list[Box] = []
    steps = 60
    for step in range(steps + 1):
        intensity = 10 ** (s.x0 + (s.x1 - s.x0) * step / steps)
        rate = min(peak, intensity * bandwidth)
        if rate > 10**s.y0:
            x, y = s.x(intensity), s.y(rate)
            boxes.append((x - 7, y - 20, x + 7, y + 4))
    return boxes


def _labels(points: list[Point], taken: list[Box]) -> list[str]:
    """A label per point or per cluster of points, placed where nothing else is."""
    taken = [*taken, *((x - 5, y - 5, x + 5, y + 5) for x, y, _, _ in points)]
    parts = []
    for group in _clusters(points):
        x = sum(p[0] for p in group) / len(group)
        y = sum(p[1] for p in group) / len(group)
        text = _group_text([p[3].label for p in group])
        box = _free_place(x, y, len(text) * CHARACTER, taken)
        taken.append(box)
        left, top, right, bottom = box
        anchor_x = min(max(x, left), right)
        anchor_y = min(max(y, top + 3), bottom - 3)
        if abs(anchor_x - x) + abs(anchor_y - y) > 16:
            parts.append(
                f'<line class="lead" x1="{x:.1f}" y1="{y:.1f}" '
                f'x2="{anchor_x:.1f}" y2="{anchor_y:.1f}"/>'
            )
        parts.append(
            f'<text class="label" x="{left:.1f}" y="{bottom - 4:.1f}">{escape(text)}</text>'
        )
    return parts


def _clusters(
    points: list[Point],
) -> list[list[Point]]:
    groups: list[list[Point]] = []
    for point in points:
        for group in groups:
            x, y, number = group[0][:3]
            if number and point[2] and abs(point[0] - x) < NEAR and abs(point[1] - y) < NEAR:
                group.append(point)
                break
        else:
            groups.append([point])
    return groups


def _group_text(labels: list[str]) -> str:
    """The name of a point, or of the first of several in one place."""
    first = labels[0] if len(labels[0]) <= 24 else labels[0][:23] + "…"
    return first if len(labels) == 1 else f"{first} and {len(labels) - 1} more"


def _free_place(x: float, y: float, width: float, taken: list[Box]) -> Box:
    """The nearest of some places around a point that meets nothing; else the last tried."""
    box = (0.0, 0.0, 0.0, 0.0)
    for distance in (9, 20, 34, 50, 70, 95):
        for dx, dy in DIRECTIONS:
            left = x + dx * distance - (width if dx < 0 else width / 2 if dx == 0 else 0)
            top = y + dy * distance - 8
            box = (left, top, left + width, top + 16)
            if _inside(box) and not any(_meet(box, other) for other in taken):
                return box
    return box


def _inside(box: Box) -> bool:
    return box[0] > LEFT and box[2] < WIDTH - RIGHT and box[1] > TOP and box[3] < HEIGHT - BOTTOM


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
