"""The course's matmul ladder on MLU370 cards: rungs of the lab `matmul_fp32` beside its log."""

from __future__ import annotations

from benchmarks.anchors import Anchor, Answer
from benchmarks.ladders import CARDS, COURSE, LOOP_ROWS, ONE_CORE_ROWS, on_a_card

BOUNDS = {"scalar_nram": 0.25, "three_stage": 0.25}
"""The two figures that this project is held to, both of the X8."""
SAID = {
    "scalar_gdram": "scalar loops on GDRAM",
    "scalar_nram": "scalar loops on NRAM",
    "matrix": "the matrix unit of one core",
    "cores": "all cores",
    "three_stage": "three-stage pipeline",
    "five_stage": "five-stage pipeline",
}
X8, X4 = "MLU370-X8", "MLU370-X4"
NOTES = {
    (X8, "scalar_gdram"): "this figure, less that on NRAM, set llc.latency: 309 cycles a load",
    (X8, "scalar_nram"): "this figure set scalar.load. It is 30.06 cycles for a turn of the inner "
    "loop, on this card, on an MLU370-X4, and on an MLU370-M8 at 1.3 GHz (193.940 ms for twice the "
    "turns). How the card divides them is unknown; with our other latencies and our compiler, "
    "loads of 9 cycles would fit, and half of what we assume for a move, which reads NRAM and "
    "writes it, is 8. With the 3 that dlp-s has, the loops take two fifths less than the card",
    (X8, "matrix"): "what a launch takes besides the kernel is not published; we assume half a "
    "microsecond",
    (X8, "cores"): "the X8 has two chips, whose memory is not published in detail; as below",
    (X8, "three_stage"): "ours reaches 90 % of the 307.2 GB/s, this card 69 %, the X4, whose "
    "bandwidth this is (recalled), 82 %; controllers and access patterns are not published",
    (X8, "five_stage"): "as above; this card loses by five stages, and the X4 gains less than 1 %",
    (X4, "scalar_gdram"): "373 cycles a load on this card, 309 on the X8",
    (X4, "matrix"): "as above",
    (X4, "cores"): "the card starts 128 tasks, which take turns on its cores and load the weights "
    "four times as often as our 32",
}  # fmt: skip


def anchor() -> Anchor:
    ours = {rung: on_a_card(rung) for rung in SAID}
    answers = [
        Answer(f"{card}, {SAID[rung]}", times[rung], "ms", "F", ours[rung],
               NOTES.get((card, rung), ""), BOUNDS.get(rung) if card == X8 else None)
        for card, times in CARDS.items()
        for rung in SAID
    ]  # fmt: skip
    m, k, n = COURSE
    return Anchor(
        f"Silicon, MLU370: {ONE_CORE_ROWS} or {m}×{k} · {k}×{n} in FP32",
        "The course's programs, compiled with -O3, as the log published with them gives their "
        "times on two cards at 1 GHz; beside them the rungs of [the ladder](ladders.md) on "
        f"`mlu370`. Values match NumPy's. One core has {ONE_CORE_ROWS} rows, all cores {m}. The "
        f"loops compute {LOOP_ROWS} of theirs, the rest in proportion.",
        tuple(answers),
    )
