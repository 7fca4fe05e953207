"""The timeline as a still SVG, for documents and for pages read without scripts.

In: a `RunReport` and a stretch of cycles.  Out: SVG text that stands alone, readable on
light and dark paper.  Same lanes and colours as the page's canvas.
"""

from __future__ import annotations

from html import escape

import numpy as np

from zhisuan.report import quantities as q
from zhisuan.report.intervals import columns, lanes_of
from zhisuan.report.model import RunReport
from zhisuan.report.palette import UNIT_NAMES, cause
from zhisuan.report.payload import layer_blocks

GUTTER, PLOT, BAND, LANE, GAP, TOP, LEGEND_ROW = 100, 1000, 24, 34, 8, 6, 20
LEAST_SHARE = 0.01
"""Of a column, below which a state is not drawn."""
MIDDLE_INK, PALE_INK = "#77797d", "#9a9ca0"
"""Greys that read on white and on black."""


def timeline_svg(report: RunReport, first: int = 0, last: int | None = None) -> str:
    """The units over the cycles [first, last), by default over the whole run."""
    last = report.timing.total if last is None else last
    states = report.timing.causes
    lanes = lanes_of(report.trace, report.timing)
    parts = [_layers(report, first, last)]
    seen = np.zeros(len(states), bool)
    y = TOP + BAND + GAP
    for lane in lanes:
        shares = columns(lane, first, last, PLOT, len(states))
        parts.append(_text(0, y + LANE / 2 - 3, UNIT_NAMES[lane.unit], MIDDLE_INK))
        parts.append(_text(0, y + LANE / 2 + 12, q.percent(shares[:, 0].mean()), PALE_INK))
        parts.append(_stacks(shares, y, states))
        seen |= (shares > LEAST_SHARE).any(axis=0)
        y += LANE + GAP
    parts.append(_axis(first, last, y))
    legend, rows = _legend([name for name, one in zip(states, seen, strict=True) if one], y + 40)
    parts.append(legend)
    width, height = GUTTER + PLOT + 6, y + 32 + rows * LEGEND_ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="system-ui, sans-serif" font-size="12">'
        f"<title>{escape(report.title)}: units over time</title>{''.join(parts)}</svg>\n"
    )


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _stacks(shares: np.ndarray, y: float, states: tuple[str, ...]) -> str:
    """One path per state: a vertical stroke in every column in which it occurs."""
    bottom = np.full(PLOT, y + LANE)
    parts = []
    for index, name in enumerate(states):
        height = np.where(shares[:, index] > LEAST_SHARE, shares[:, index] * LANE, 0)
        runs = _runs(bottom, height)
        bottom = bottom - height
        if runs:
            parts.append(f'<path fill="{cause(name).light}" d="{runs}"/>')
    return "".join(parts)


def _runs(bottom: np.ndarray, height: np.ndarray) -> str:
    """Rectangles as path data; neighbouring columns of the same shape are one."""
    base, tall = np.round(bottom, 1), np.round(height, 1)
    new = np.ones(PLOT, bool)
    new[1:] = (base[1:] != base[:-1]) | (tall[1:] != tall[:-1])
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], PLOT)
    return "".join(
        f"M{GUTTER + a} {base[a]:g}h{b - a}v{-tall[a]:g}h{a - b}z"
        for a, b in zip(starts, ends, strict=True)
        if tall[a] > 0
    )


def _layers(report: RunReport, first: int, last: int) -> str:
    scale = PLOT / (last - first)
    parts = []
    for index, block in enumerate(layer_blocks(report)):
        a = max(0.0, (block["start"] - first) * scale)
        b = min(float(PLOT), (block["end"] - first) * scale)
        if b - a < 0.3:
            continue
        opacity = 0.34 if index % 2 else 0.2
        parts.append(
            f'<rect x="{GUTTER + a:.1f}" y="{TOP}" width="{b - a - 0.3:.1f}" height="{BAND}" '
            f'fill="{PALE_INK}" fill-opacity="{opacity}"/>'
        )
        room = int((b - a - 8) / 6.6)
        label = block["label"]
        if room >= min(3, len(label)):
            shown = label if len(label) <= room else label[: room - 1] + "…"
            parts.append(_text(GUTTER + a + 4, TOP + 16, shown, MIDDLE_INK))
    return _text(0, TOP + 16, "layers", MIDDLE_INK) + "".join(parts)


def _axis(first: int, last: int, y: float) -> str:
    rough = (last - first) / 8
    power = 10 ** int(np.floor(np.log10(max(rough, 1))))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    parts = [_text(0, y + 12, "cycle", PALE_INK)]
    for tick in range(-(-first // step) * step, last + 1, step):
        x = GUTTER + (tick - first) / (last - first) * PLOT
        anchor = "start" if x < GUTTER + 20 else "end" if x > GUTTER + PLOT - 20 else "middle"
        parts.append(f'<rect x="{x:.1f}" y="{y - 4:g}" width="1" height="5" fill="{PALE_INK}"/>')
        parts.append(_text(x, y + 13, f"{tick:,}", MIDDLE_INK, anchor))
    return "".join(parts)


def _legend(states: list[str], y: float) -> tuple[str, int]:
    """The states that the picture shows, and the rows that their names take."""
    parts, x, rows = [], float(GUTTER), 1
    for name in states:
        known = cause(name)
        width = 17 + len(known.name) * 7 + 22
        if x + width > GUTTER + PLOT:
            x, y, rows = float(GUTTER), y + LEGEND_ROW, rows + 1
        parts.append(
            f'<rect x="{x:.0f}" y="{y - 10:g}" width="11" height="11" rx="2" fill="{known.light}"/>'
        )
        parts.append(_text(x + 17, y, known.name, MIDDLE_INK))
        x += width
    return "".join(parts), rows
