"""The timeline's data, small enough to lie inside the page.

In: lanes, texts and layers.  Out: a JSON-ready dict whose long columns are base-64 LEB128
numbers.  `timeline.js` is its only reader.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from zhisuan.report import quantities as q
from zhisuan.report.describe import describe, source_places
from zhisuan.report.intervals import Lane, lanes_of, thinned
from zhisuan.report.model import RunReport, layer_figures
from zhisuan.report.palette import UNIT_NAMES, cause
from zhisuan.sim.trace import SCALAR_RUN, Trace

LIMIT = 60_000
"""Intervals of one lane that go into the page as they are; more are thinned."""


def numbers(values: np.ndarray) -> str:
    """Non-negative integers as base-64 LEB128: seven bits a byte, lowest first."""
    rest = np.asarray(values, np.uint64)
    used = np.ones(len(rest), np.int64)
    for bits in range(7, 63, 7):
        used += (rest >> np.uint64(bits)) > 0
    starts = np.cumsum(used) - used
    out = np.zeros(int(used.sum()), np.uint8)
    for position in range(int(used.max(initial=0))):
        live = used > position
        low = (rest[live] >> np.uint64(7 * position)) & np.uint64(0x7F)
        more = (used[live] > position + 1).astype(np.uint64) << np.uint64(7)
        out[starts[live] + position] = low | more
    return base64.b64encode(out.tobytes()).decode("ascii")


def timeline_payload(report: RunReport) -> dict[str, Any]:
    """Everything `timeline.js` draws."""
    texts, text_of_row = describe(report.trace)
    places, place_of_row = source_places(report.trace, report.programs)
    states = report.timing.causes
    lanes = [thinned(lane, LIMIT, len(states)) for lane in lanes_of(report.trace, report.timing)]
    kinds: dict[tuple[int, ...], int] = {}
    decoded = _decoded(texts, text_of_row, report.trace)
    drawn = [
        _lane(lane, kinds, decoded if lane.unit == "scalar" else text_of_row, place_of_row)
        for lane in lanes
    ]
    busy = [int(lane.length[lane.state == 0].sum()) for lane in lanes]
    return {
        "hz": report.machine.clock_hz,
        "cycles": int(lanes[0].length.sum()),
        "states": [{"name": cause(name).name, "doc": cause(name).doc} for name in states],
        "texts": texts,
        "places": places,
        "kinds": [list(kind) for kind in kinds],
        "layers": layer_blocks(report),
        "lanes": drawn,
        "overview": busy.index(max(busy)),
    }


def _decoded(texts: list[str], text_of_row: np.ndarray, trace: Trace) -> np.ndarray:
    """Texts for the decoder's lane, where a queued instruction is not executed but decoded."""
    queued = trace.opcode != SCALAR_RUN
    used = np.unique(text_of_row[queued])
    numbers_of = np.zeros(len(texts), np.int32)
    numbers_of[used] = len(texts) + np.arange(len(used))
    texts.extend([f"decodes {texts[number]}" for number in used])
    return np.where(queued, numbers_of[text_of_row], text_of_row)


def _lane(
    lane: Lane, kinds: dict[tuple[int, ...], int], texts: np.ndarray, places: np.ndarray
) -> dict[str, str]:
    """The lane's columns; its (state, text, place, merged) tuples are added to `kinds`."""
    known = lane.row >= 0
    text = np.where(known & (lane.state == 0), texts[lane.row], 0)
    place = np.where(known, places[lane.row], 0)
    table = np.stack([lane.state.astype(np.int64), text, place, lane.merged], axis=1)
    unique, which = np.unique(table, axis=0, return_inverse=True)
    number = [kinds.setdefault(tuple(int(v) for v in kind), len(kinds)) for kind in unique]
    return {
        "name": UNIT_NAMES[lane.unit],
        "lengths": numbers(lane.length),
        "kinds": numbers(np.array(number, np.int64)[which.reshape(-1)]),
    }


def layer_blocks(report: RunReport) -> list[dict[str, Any]]:
    """Blocks of the band above the lanes, in time order."""
    timing = report.timing
    blocks = []
    for layer, figures in zip(report.layers, layer_figures(report), strict=True):
        detail = f"MAC utilisation {q.percent(figures.utilisation)}" if figures.macs else "no MACs"
        for first, last in _stretches(layer.launches):
            blocks.append(
                {
                    "label": layer.label,
                    "start": int(timing.launch_start[first]),
                    "end": int(timing.launch_end[last]),
                    "detail": detail,
                    "launches": [
                        [int(timing.launch_start[i]), report.trace.launches[i].label]
                        for i in range(first, last + 1)
                    ],
                }
            )
    return sorted(blocks, key=lambda block: block["start"])


def _stretches(launches: tuple[int, ...]) -> list[tuple[int, int]]:
    """(2, 3, 4, 9) → [(2, 4), (9, 9)]: launches that follow each other."""
    stretches: list[tuple[int, int]] = []
    for launch in sorted(launches):
        if stretches and stretches[-1][1] == launch - 1:
            stretches[-1] = (stretches[-1][0], launch)
        else:
            stretches.append((launch, launch))
    return stretches
