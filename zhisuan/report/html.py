"""The page: one HTML file with pictures, figures, timeline, layers, roofline, machine, notes.

In: a `RunReport`.  Out: HTML text that needs nothing else, neither network nor fonts; the
same bits for the same run, except host seconds.  Without scripts the timeline is a still.
"""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from pathlib import Path

from zhisuan.arch.describe import describe, shown
from zhisuan.arch.machine import Machine
from zhisuan.report import quantities as q
from zhisuan.report.bars import layer_table, unit_table
from zhisuan.report.costs import cost_rows
from zhisuan.report.counters import counter_rows
from zhisuan.report.intervals import core_shown
from zhisuan.report.model import Figures, RunReport, layer_figures, total_figures
from zhisuan.report.palette import cause
from zhisuan.report.payload import timeline_payload
from zhisuan.report.pictures import data_uri
from zhisuan.report.roofline import has_place, roofline_svg
from zhisuan.report.timeline_svg import timeline_svg

HERE = Path(__file__).parent
BUTTONS = (
    ("in", "+", "zoom in"),
    ("out", "−", "zoom out"),
    ("fit", "whole run", "show the whole run"),
    ("previous", "‹ layer", "previous layer"),
    ("next", "layer ›", "next layer"),
)


def page(report: RunReport) -> str:
    """The whole page."""
    layers, whole = layer_figures(report), total_figures(report)
    causes = report.timing.causes
    body = "".join(
        (
            _header(report),
            _pictures(report),
            _keys(report, whole),
            timeline_section(report, causes),
            _layers(report, layers, whole, causes),
            '<div class="pair">',
            _roofline(layers, whole, report),
            _units(report, whole, causes),
            "</div>",
            _notes(report),
            _machine(report.machine),
            "<footer>Zhisuan simulates the chip: values by executing every instruction, "
            "cycles by replaying the trace on the machine described above.</footer>",
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(report.title)}</title><style>{asset('page.css')}{state_colours(causes)}"
        f"</style></head><body>{body}{timeline_script(report)}</body></html>\n"
    )


@cache
def asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def state_colours(causes: tuple[str, ...]) -> str:
    light = "".join(f"--state-{i}:{cause(name).light};" for i, name in enumerate(causes))
    dark = "".join(f"--state-{i}:{cause(name).dark};" for i, name in enumerate(causes))
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def timeline_script(report: RunReport) -> str:
    data = json.dumps(timeline_payload(report), separators=(",", ":"), ensure_ascii=False)
    safe = data.replace("<", "\\u003c")
    return (
        f'<script type="application/json" id="timeline-data">{safe}</script>'
        f"<script>{asset('timeline.js')}</script>"
    )


def _header(report: RunReport) -> str:
    return (
        f'<header><p class="kicker">Zhisuan · run report</p><h1>{escape(report.title)}</h1>'
        f'<p class="lead">{escape(report.machine.title)}</p></header>'
    )


def _pictures(report: RunReport) -> str:
    figures = []
    for caption, png in report.pictures.items():
        uri, exact = data_uri(png)
        note = "" if exact else " (shown smaller)"
        text = escape(caption)
        figures.append(
            f'<figure><img src="{uri}" alt="{text}"><figcaption>{text}{note}</figcaption></figure>'
        )
    return f'<div class="pictures">{"".join(figures)}</div>' if figures else ""


def _keys(report: RunReport, whole: Figures) -> str:
    machine = report.machine
    bandwidth = whole.dram_bytes / whole.seconds if whole.seconds else 0.0
    share = bandwidth / machine.dram.bytes_per_second
    host = sum(report.host_seconds.values())
    parts = ", ".join(f"{name} {q.seconds(s)}" for name, s in report.host_seconds.items())
    entries = [
        (
            "time on the chip",
            f"{whole.milliseconds:,.2f} <small>ms</small>",
            f"at {q.clock(machine.clock_hz)}",
        ),
        ("cycles", q.count(whole.cycles), f"{len(report.timing.launch_start):,} launches"),
        (
            "MAC utilisation",
            q.percent(whole.utilisation).replace(" %", " <small>%</small>"),
            f"{q.scaled(whole.macs, 'MAC')} of {report.peak.macs_per_cycle:,} per cycle",
        ),
        (
            "DRAM traffic",
            _with_unit(q.scaled(whole.dram_bytes, "B")),
            f"{q.scaled(whole.dram_read, 'B')} read, {q.scaled(whole.dram_written, 'B')} "
            f"written; {q.percent(share)} of the bandwidth",
        ),
    ]
    more_rows = (*counter_rows(report.timing), *cost_rows(report))
    entries += [(name, _with_unit(amount), more) for name, amount, more in more_rows]
    if report.host_seconds:
        entries.append(("host time", _with_unit(q.seconds(host)), escape(parts)))
    cells = "".join(
        f'<div><dt>{name}</dt><dd class="value">{value}</dd>'
        f'<dd class="more">{_kept_together(more)}</dd></div>'
        for name, value, more in entries
    )
    return f'<dl class="keys">{cells}</dl>'


def _kept_together(text: str) -> str:
    """No line break between a number and its unit."""
    return re.sub(r"(?<=\d) (?=[^\d\s])", "\N{NO-BREAK SPACE}", text)


def _with_unit(text: str) -> str:
    value, unit = text.split(" ", 1)
    return f"{value} <small>{unit}</small>"


def section(identity: str, title: str, doc: str, body: str) -> str:
    return f'<section id="{identity}"><header><h2>{title}</h2><p>{doc}</p></header>{body}</section>'


def _legend(causes: tuple[str, ...]) -> str:
    items = "".join(
        f'<li title="{escape(cause(name).doc)}"><i style="background:var(--state-{i})"></i>'
        f"{escape(cause(name).name)}</li>"
        for i, name in enumerate(causes)
    )
    return f'<ul class="legend">{items}</ul>'


def _core(report: RunReport) -> str:
    words = core_shown(report.timing)
    return f"<p>{words}</p>" if words else ""


def timeline_section(report: RunReport, causes: tuple[str, ...]) -> str:
    buttons = "".join(
        f'<button type="button" data-action="{action}" aria-label="{label}">{text}</button>'
        for action, text, label in BUTTONS
    )
    body = (
        f'<div class="bench">{buttons}<span class="range" id="range"></span></div>'
        '<div class="timeline"><canvas id="timeline" tabindex="0" role="img" '
        'aria-label="What each unit did in every cycle; arrow keys move and zoom"></canvas>'
        '<canvas id="overview" class="overview" aria-hidden="true"></canvas>'
        '<div class="tip" id="tip"></div></div>'
        f"<noscript>{timeline_svg(report)}</noscript>{_legend(causes)}{_core(report)}"
        '<p class="keyshelp">Wheel or <kbd>+</kbd> <kbd>−</kbd> zooms, dragging or '
        "<kbd>←</kbd> <kbd>→</kbd> moves, <kbd>[</kbd> <kbd>]</kbd> steps through the layers, "
        "<kbd>0</kbd> shows the whole run.</p>"
    )
    doc = (
        "What each unit of the core did in every cycle. Below a pixel may lie many cycles: "
        "the height of a colour is its share of them."
    )
    return section("units-over-time", "Units over time", doc, body)


def _mean(report: RunReport) -> str:
    """What a bar shows where there are many cores."""
    return " Bars are means over all cores." if len(report.timing.cores) > 1 else ""


def _layers(
    report: RunReport, layers: list[Figures], whole: Figures, causes: tuple[str, ...]
) -> str:
    doc = (
        "Length is cycles; the strong colour is the matrix unit working, the rest why it was not."
        f"{_mean(report)} A click on a name shows the layer in the timeline."
    )
    return section("layers", "Layers", doc, layer_table(layers, whole, causes) + _legend(causes))


def _roofline(layers: list[Figures], whole: Figures, report: RunReport) -> str:
    hidden = [figures.label for figures in layers if not has_place(figures, whole)]
    doc = (
        "How fast each layer computes, below what the matrix unit and the DRAM allow. The ring "
        "is the whole network. Layers in one place share a name; point at them for figures."
    )
    if hidden:
        shown = ", ".join(hidden[:4]) + (f" and {len(hidden) - 4} more" if hidden[4:] else "")
        doc += f" Left out, having no MACs or next to none: {escape(shown)}."
    drawn = roofline_svg(layers, whole, report.machine, report.peak.macs_per_cycle)
    return section("roofline", "Roofline", doc, drawn)


def _units(report: RunReport, whole: Figures, causes: tuple[str, ...]) -> str:
    doc = f"Every cycle of every unit, over the whole run; colours as above.{_mean(report)}"
    return section("units", "Units", doc, unit_table(whole, causes))


def _notes(report: RunReport) -> str:
    own = (
        f"MAC utilisation is the graph's multiply-accumulates divided by cycles × "
        f"{report.peak.macs_per_cycle:,}, the {report.peak.kind} peak. MACs that a kernel executes "
        "on padding or widened filters do not count, so it can be well below the share of cycles "
        "in which the matrix unit works.",
        "A layer's cycles run from the first issue to the last commit of its launches, launch "
        "overhead included; launches follow each other, so the layers add up to the whole.",
        "DRAM traffic counts whole access units of "
        f"{report.machine.dram.access_bytes} B, as the memory moves them.",
        "Cycles come from a model: in-order queues, unit rates and latencies of the machine "
        "below. It is not a measurement of a real chip.",
    )
    items = "".join(f"<li>{escape(note)}</li>" for note in (*own, *report.notes))
    return section("notes", "How to read this", "", f'<ul class="notes">{items}</ul>')


def _machine(machine: Machine) -> str:
    rows = [
        f'<tr><td>{escape(key)}</td><td class="n">{escape(shown(value))}</td>'
        f"<td>{escape(unit)}</td><td>{escape(source)}</td></tr>"
        for key, value, unit, source in describe(machine)
    ]
    table = (
        '<div class="scroll"><table class="machine"><thead><tr><th>key</th>'
        '<th class="n">value</th><th>unit</th><th>where the number is from</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
    body = f"<details><summary>{len(rows)} numbers and their sources</summary>{table}</details>"
    return section("machine", "The machine", escape(machine.title), body)
