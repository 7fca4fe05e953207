"""The exercises of the course: fully connected layers on 256 FP32 MAC per cycle and 64 GB/s."""

from __future__ import annotations

from benchmarks.anchors import Anchor, Answer
from benchmarks.anchors.stream import NRAM, Stream, working
from zhisuan.arch.load import load, vary

FINE = 64
"""Steps of a nanosecond; the exercises count fractions of one."""
INPUTS = 256
FLOAT = 4
HALF_NRAM = 1 << 16


def _load(stream: Stream, rows: int, number: int) -> None:
    stream.load(rows * INPUTS * FLOAT, NRAM.base + number % 2 * HALF_NRAM)


def _multiply(stream: Stream, rows: int, outputs: int, number: int = 0) -> None:
    stream.product("f32.f32", rows, INPUTS, outputs, source=NRAM.base + number % 2 * HALF_NRAM,
                   to=NRAM.base + (2 + number % 2) * HALF_NRAM)  # fmt: skip


def one_layer(rows: int, outputs: int) -> Stream:
    """Load, multiply, store, one after the other."""
    stream = Stream()
    _load(stream, rows, 0)
    stream.load_weights(INPUTS * outputs * FLOAT)
    stream.sync()
    _multiply(stream, rows, outputs)
    stream.sync()
    stream.store(rows * outputs * FLOAT)
    return stream


def tiles(count: int, rows: int, outputs: int, *, overlapped: bool) -> Stream:
    """A layer in tiles of rows, its steps one after the other or double-buffered."""
    stream = Stream()
    stream.load_weights(INPUTS * outputs * FLOAT)
    _load(stream, rows, 0)
    for number in range(count):
        stream.sync()
        _multiply(stream, rows, outputs, number)
        if not overlapped:
            stream.sync()
        if number > 0 or not overlapped:
            stream.store(rows * outputs * FLOAT)
        if number + 1 < count:
            _load(stream, rows, number + 1)
    if overlapped:
        stream.sync()
        stream.store(rows * outputs * FLOAT)
    return stream


def anchor() -> Anchor:
    machine = load("course-core")
    lanes = machine.matrix.lanes_f32 // FINE
    machine = vary(machine, {"clock.hz": machine.clock_hz * FINE, "matrix.lanes_f32": lanes})
    cases = (
        ("1×256 · 256×1", 33.0625, one_layer(1, 1)),
        ("32×256 · 256×128", 6912, one_layer(32, 128)),
        ("1024×256 · 256×128, 32 tiles serial", 157_696, tiles(32, 32, 128, overlapped=False)),
        ("the same, double-buffered", 133_888, tiles(32, 32, 128, overlapped=True)),
    )
    answers = (
        Answer(what, theirs, "ns", "F", working(stream.timing(machine)) / FINE, bound=0)
        for what, theirs, stream in cases
    )
    return Anchor(
        "Exercise machine",
        "`course-core` at 64 times its clock and the same rates, so that fractions of a nanosecond "
        "show. Counted is the time in which a unit works; decoding, which the exercises leave "
        "out, is the rest of the replay's total.",
        tuple(answers),
    )
