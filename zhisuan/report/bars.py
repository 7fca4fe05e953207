"""Tables with bars for the page: a row per layer, a row per unit.

In: figures.  Out: HTML tables.  A bar's length is cycles, its colours what the unit did in
them, on the mean core; the same figures stand beside it as numbers.
"""

from __future__ import annotations

from html import escape

from zhisuan.report import quantities as q
from zhisuan.report.model import BUSY, Figures
from zhisuan.report.palette import UNIT_NAMES, cause_name

BAR = 1000
"""Width of a bar in its own units; the page stretches it."""


def layer_table(layers: list[Figures], whole: Figures, causes: tuple[str, ...]) -> str:
    """Per layer: what the matrix unit did (bar), cycles, time, utilisation, traffic, stall."""
    longest = max((f.cycles for f in layers), default=1)
    heads = (
        '<th class="n">#</th><th>layer</th><th>what the matrix unit did</th>'
        '<th class="n">cycles</th><th class="n">ms</th><th class="n">MAC utilisation</th>'
        '<th class="n">MB read</th><th class="n">MB written</th>'
        "<th>busiest unit</th><th>mostly waits for</th>"
    )
    rows = [
        f'<tr><td class="n dim">{i}</td><td><button class="link" data-layer="{i - 1}">'
        f'{escape(f.label)}</button></td><td class="bar">'
        f"{stacked_bar(f, 'mfu', causes, longest)}</td>{_numbers(f)}</tr>"
        for i, f in enumerate(layers, 1)
    ]
    foot = f'<tr><td></td><th colspan="2">{escape(whole.label)}</th>{_numbers(whole)}</tr>'
    return (
        f'<div class="scroll"><table class="layers"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody><tfoot>{foot}</tfoot></table></div>"
    )


def _numbers(f: Figures) -> str:
    cause, share = f.main_stall
    use = (
        f'{q.percent(f.utilisation)}<span class="meter"><b style="width:'
        f'{min(f.utilisation, 1) * 100:.1f}%"></b></span>'
        if f.macs
        else '–<span class="meter"></span>'
    )
    waits = f"{cause_name(cause)} {share * 100:.0f} %" if share >= 0.005 else "–"
    busiest = f"{UNIT_NAMES[f.busiest]} {f.busy_share(f.busiest) * 100:.0f} %"
    return (
        f'<td class="n">{q.count(f.cycles)}</td><td class="n">{q.milliseconds(f.milliseconds)}'
        f'</td><td class="n">{use}</td><td class="n">{q.megabytes(f.dram_read)}</td>'
        f'<td class="n">{q.megabytes(f.dram_written)}</td><td>{busiest}</td><td>{waits}</td>'
    )


def unit_table(whole: Figures, causes: tuple[str, ...]) -> str:
    """Per unit, the whole run: share of cycles worked, and a bar of all its cycles."""
    rows = [
        f'<tr><td>{UNIT_NAMES[unit]}</td><td class="n">'
        f'{q.percent(whole.busy_share(unit))}</td><td class="bar">'
        f"{stacked_bar(whole, unit, causes, whole.cycles)}</td></tr>"
        for unit in whole.by_cause
    ]
    return (
        '<table class="units"><thead><tr><th>unit</th><th class="n">working</th>'
        f"<th>all its cycles</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def stacked_bar(f: Figures, unit: str, causes: tuple[str, ...], longest: int) -> str:
    """Cycles of a unit by cause as one bar, means over the cores that have one; `longest` cycles
    are the full width."""
    parts, x = [], 0.0
    for index, cause in enumerate(causes):
        cycles = f.by_cause[unit].get(cause, 0) / f.units[unit]
        if cycles <= 0:
            continue
        width = cycles / max(longest, 1) * BAR
        name = cause_name(cause)
        verb = name if cause in (BUSY, "idle") else f"waiting: {name}"
        share = q.percent(cycles / max(f.cycles, 1))
        title = f"{verb}, {q.count(round(cycles))} cycles, {share}"
        parts.append(
            f'<rect x="{x:.1f}" width="{width:.1f}" height="10" fill="var(--state-{index})">'
            f"<title>{escape(title)}</title></rect>"
        )
        x += width
    return (
        f'<svg viewBox="0 0 {BAR} 10" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )
