"""The profile as one HTML page: advice, hot lines, source, memories, units, roofline.

Comes in: a `Profile`.  Goes out: HTML text that needs nothing else, neither network nor fonts.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from html import escape
from pathlib import Path

from zhisuan.report import html as run_page
from zhisuan.report import quantities as q
from zhisuan.report.profile.advice import advise
from zhisuan.report.profile.payload import kinds, payload
from zhisuan.report.profile.profile import Profile
from zhisuan.report.profile.text import NO_ADVICE, gain_text
from zhisuan.report.profile.work_done import (
    MATRIX,
    VECTOR,
    executed_macs,
    figures,
    vector_lanes,
    vector_operations,
)
from zhisuan.report.roofline import has_place, roofline_svg

HERE = Path(__file__).parent


def page(profile: Profile) -> str:
    """The whole page."""
    report = profile.report
    causes = report.timing.causes
    body = "".join(
        (
            _header(profile),
            _advice(profile),
            _hot(),
            _source(),
            _memory(),
            run_page.timeline_section(report, causes),
            _roofline(profile),
            _notes(profile),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(report.title)}: profile</title><style>{run_page.asset('page.css')}"
        f"{_asset('profile.css')}{run_page.state_colours(causes)}{_colours()}</style></head>"
        f"<body>{body}{_script(profile)}</body></html>\n"
    )


@cache
def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _colours() -> str:
    light = "".join(f"--k{i}:{entry.light};" for i, entry in enumerate(kinds()))
    dark = "".join(f"--k{i}:{entry.dark};" for i, entry in enumerate(kinds()))
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def _script(profile: Profile) -> str:
    data = json.dumps(payload(profile), separators=(",", ":"), ensure_ascii=False)
    safe = data.replace("<", "\\u003c")
    return (
        f'<script type="application/json" id="profile-data">{safe}</script>'
        f"<script>{_asset('profile.js')}</script>{run_page.timeline_script(profile.report)}"
    )


def _header(profile: Profile) -> str:
    report = profile.report
    seconds = profile.total / report.machine.clock_hz
    cores = len(report.timing.cores)
    entries = [
        ("cycles", q.count(profile.total), _launches(len(report.trace.launches))),
        ("time on the chip", q.small(seconds, "s"), f"at {q.clock(report.machine.clock_hz)}"),
        ("cores", f"{len(profile.active)} of {cores}", "took part"),
    ]
    cells = "".join(
        f'<div><dt>{name}</dt><dd class="value">{value}</dd><dd class="more">{more}</dd></div>'
        for name, value, more in entries
    )
    return (
        f'<header><p class="kicker">Zhisuan · profile</p><h1>{escape(report.title)}</h1>'
        f'<p class="lead">{escape(report.machine.title)}</p></header><dl class="keys">{cells}</dl>'
    )


def _launches(number: int) -> str:
    return f"{number:,} launch{'es' if number != 1 else ''}"


def _advice(profile: Profile) -> str:
    entries = []
    for entry in advise(profile):
        lines = " ".join(
            f'<button class="link" data-line="{line}">'
            f"{escape(profile.table.lines[line].where)}</button>"
            for line in entry.lines
        )
        entries.append(
            f'<li><span class="gain">{gain_text(entry).rstrip(".").lower()}</span>'
            f"<b>{escape(entry.what)}</b><p>{escape(entry.how)}</p>"
            f'<p class="lines">{lines}</p></li>'
        )
    doc = (
        "Rules on the measured numbers. Each bound is the best that could come of it, found by "
        "timing the trace again without the limit, or from what is charged; bounds do not add up."
    )
    if not entries:
        return run_page.section("advice", "Advice", "", f"<p>{NO_ADVICE}</p>")
    return run_page.section("advice", "Advice", doc, f'<ul class="advice">{"".join(entries)}</ul>')


def _hot() -> str:
    doc = (
        "Every cycle is charged to one line: where the decoder waits for a unit, to the "
        "instruction that the unit executes in that cycle. A click shows the line."
    )
    body = (
        '<div class="bench"><label>core <select id="core"></select></label>'
        '<label>view <select id="view"></select></label></div>'
        '<div id="whole" class="whole"></div><ul class="legend" id="kinds"></ul>'
        '<div class="scroll"><table class="hot"><thead><tr><th>line</th><th class="n">share</th>'
        '<th class="n">cycles</th><th>of these</th><th>source</th></tr></thead>'
        '<tbody id="hot"></tbody></table></div>'
    )
    return run_page.section("hot-lines", "Where the time goes", doc, body)


def _source() -> str:
    doc = "The same, line by line. A click on a line shows its instructions."
    body = (
        '<div class="bench" id="files"></div>'
        '<div class="sourcebox"><table class="source"><thead><tr>'
        '<th class="n">line</th><th class="n">share</th><th class="n">cycles</th><th></th>'
        '<th class="n" title="instructions executed">executed</th>'
        '<th class="n" title="bytes that transfers were asked to move">bytes moved</th>'
        '<th>source</th></tr></thead><tbody id="source"></tbody></table></div>'
    )
    return run_page.section("source-lines", "Source", doc, body)


def _memory() -> str:
    doc = (
        "What the memories hold and will still be read. A byte counts from when it is written "
        "until it is read for the last time before it is written anew; of every stretch the "
        "fullest moment is shown. Scalar loads and stores on the chip leave no trace, so that "
        "what only they use is missing."
    )
    return run_page.section("memories", "Memory over time", doc, '<div id="memory"></div>')


def _roofline(profile: Profile) -> str:
    report, work = profile.report, profile.work
    machine = report.machine
    vector_peak = vector_lanes(machine) * machine.cores
    drawn = []
    for done, peak, roof in (
        (executed_macs(report, work), report.peak.macs_per_cycle, MATRIX),
        (vector_operations(report, work), vector_peak, VECTOR),
    ):
        layers, whole = figures(report, done, peak)
        if len(layers) == 1:
            layers, whole = [], replace(whole, label=layers[0].label)
        if has_place(whole, whole):
            drawn.append(f"<div>{roofline_svg(layers, whole, machine, peak, roof)}</div>")
    doc = (
        "Work per second against work per byte of DRAM traffic. Below the slope DRAM is the "
        "limit, below the flat roof the unit. A vector operation is a lane of 32 bits for a cycle."
    )
    if not drawn:
        return ""
    return run_page.section(
        "roofline", "Roofline", doc, f'<div class="roofs">{"".join(drawn)}</div>'
    )


def _notes(profile: Profile) -> str:
    notes = (
        "In every view the cycles of a core add up to the duration of the run.",
        "Scalar instructions are counted exactly. What they wait for off the chip is spread over "
        "the loads of their run, what they wait for code over its words.",
        "A line's bytes are those that its transfers ask for; DRAM moves whole access units.",
        *profile.report.notes,
    )
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return run_page.section("notes", "How to read this", "", f'<ul class="notes">{items}</ul>')
