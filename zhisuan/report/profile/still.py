"""A profile as still SVGs for documents: source with bars, and a memory over time.

Comes in: a `Profile`.  Goes out: SVG text that stands alone, readable on light and dark paper.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np

from zhisuan.report import quantities as q
from zhisuan.report.profile.advice.words import size
from zhisuan.report.profile.blame import KINDS
from zhisuan.report.profile.kinds import kind
from zhisuan.report.profile.profile import Profile

WIDTH, ROW, TOP = 1080, 19, 30
NUMBER, SHARE, CYCLES, BAR, BAR_WIDTH, SOURCE = 28, 92, 176, 190, 190, 396
CHARACTER = 7.1
INK, PALE = "#77797d", "#9a9ca0"
"""Greys that read on white and on black."""
HOLDERS = ("#2f5d8c", "#c46a1b", "#3a7d44", "#8c3f5d", "#8a7a1f", "#5b4a9c", "#2c7f7a", "#a0522d")
COLUMNS, PLOT, GUTTER, HEIGHT = 460, 920, 80, 190


def source_svg(profile: Profile, file: str) -> str:
    """All lines of a file, each with its share of the time and what it was charged with."""
    numbers = {line.number: i for i, line in enumerate(profile.table.lines) if line.file == file}
    whole, cores = max(profile.time.sum(), 1), max(len(profile.active), 1)
    longest = max([profile.time[line].sum() for line in numbers.values()], default=1) or 1
    parts = [
        _text(x, 16, head, PALE, anchor)
        for x, head, anchor in (
            (NUMBER, "line", "end"), (SHARE, "share", "end"), (CYCLES, "cycles", "end"),
            (SOURCE, file, "start"),
        )
    ]  # fmt: skip
    y = TOP
    seen = np.zeros(len(KINDS), bool)
    for number, text in sorted(profile.sources.get(file, {}).items()):
        y += ROW
        parts.append(_text(NUMBER, y, str(number), PALE, "end"))
        room = int((WIDTH - SOURCE) / CHARACTER)
        parts.append(_code(SOURCE, y, text[:room]))
        line = numbers.get(number)
        if line is None or not profile.time[line].sum():
            continue
        spent = profile.time[line]
        parts.append(_text(SHARE, y, q.percent(spent.sum() / whole), INK, "end"))
        parts.append(_text(CYCLES, y, q.count(spent.sum() / cores), INK, "end"))
        parts += _bar(spent, longest, y)
        seen |= spent > 0.01 * longest
    legend = _legend(((kind(KINDS[k]).name, kind(KINDS[k]).light) for k in np.flatnonzero(seen)),
                     NUMBER - 20, y + 34)  # fmt: skip
    return _svg(parts + legend, WIDTH, y + 46, f"{profile.report.title}: time by line")


def memory_svg(profile: Profile, memory: int, place: int) -> str:
    """What a memory of a core held over the run: position in `touches.MEMORIES`, core's place."""
    one = profile.memories.of(memory, place)
    total = one.total
    edges = np.linspace(0, max(profile.total, 1), COLUMNS + 1)
    begin = np.maximum(np.searchsorted(one.moments, edges[:-1], "right") - 1, 0)
    end = np.searchsorted(one.moments, edges[1:], "left")
    at = [a + int(np.argmax(total[a:b])) if b > a else a for a, b in zip(begin, end, strict=True)]
    held = np.where(edges[1:] <= one.moments[0], 0, one.held[:, at])
    top, step = max(one.most * 1.1, 1), PLOT / COLUMNS
    parts, base = [], np.zeros(COLUMNS)
    order = np.argsort(-one.held.max(axis=1), kind="stable")
    for index, row in enumerate(order.tolist()):
        tall = held[row] / top * HEIGHT
        path = "".join(
            f"M{GUTTER + i * step:.1f} {10 + HEIGHT - base[i]:.1f}h{step:.1f}v{-tall[i]:.1f}"
            f"h{-step:.1f}z"
            for i in np.flatnonzero(tall).tolist()
        )
        base += tall
        parts.append(f'<path fill="{HOLDERS[index % len(HOLDERS)]}" d="{path}"/>')
    for share in (0, 0.5, 1):
        y = 10 + HEIGHT * (1 - share / 1.1)
        parts.append(f'<rect x="{GUTTER}" y="{y:.1f}" width="{PLOT}" height="0.6" fill="{PALE}"/>')
        parts.append(_text(GUTTER - 8, y + 4, size(one.most * share), INK, "end"))
    parts.append(_text(GUTTER, HEIGHT + 28, "0", INK))
    parts.append(_text(GUTTER + PLOT, HEIGHT + 28, f"{profile.total:,} cycles", INK, "end"))
    names = [_holder(profile, int(one.owners[row])) for row in order.tolist()]
    legend = _legend(zip(names, HOLDERS, strict=False), GUTTER, HEIGHT + 54)
    title = f"{profile.report.title}: what {one.memory} holds"
    return _svg(parts + legend, GUTTER + PLOT + 10, HEIGHT + 66, title)


def _holder(profile: Profile, number: int) -> str:
    holder = profile.memories.holders[number]
    return holder.name if holder.where in holder.name else f"{holder.name} ({holder.where})"


def _bar(spent: np.ndarray, longest: float, y: float) -> list[str]:
    parts, x = [], float(BAR)
    for index in np.flatnonzero(spent).tolist():
        width = spent[index] / longest * BAR_WIDTH
        colour = kind(KINDS[index]).light
        parts.append(
            f'<rect x="{x:.1f}" y="{y - 10}" width="{width:.1f}" height="11" fill="{colour}"/>'
        )
        x += width
    return parts


def _legend(entries: Iterable[tuple[str, str]], x: float, y: float) -> list[str]:
    parts = []
    for name, colour in entries:
        parts.append(
            f'<rect x="{x:.0f}" y="{y - 10:g}" width="11" height="11" rx="2" fill="{colour}"/>'
        )
        parts.append(_text(x + 17, y, name, INK))
        x += 17 + len(name) * CHARACTER + 20
    return parts


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'


def _code(x: float, y: float, text: str) -> str:
    return (
        f'<text x="{x}" y="{y}" fill="{INK}" font-family="ui-monospace, monospace" '
        f'xml:space="preserve">{escape(text)}</text>'
    )


def _svg(parts: list[str], width: float, height: float, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'font-family="system-ui, sans-serif" font-size="12">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>\n"
    )
