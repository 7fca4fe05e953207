"""Atomics and locks: results, the old values, their order over tasks, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from chip_programs import SAME_BYTES, chip, launch, timed
from sim_programs import ROUND

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM, NRAM
from zhisuan.isa.atomic import OPERATIONS
from zhisuan.isa.element import numpy_of
from zhisuan.isa.registry import Operands
from zhisuan.isa.table import BY_NAME

EXECUTORS = ("native", "reference")
HEAD = f"""
    SLOAD $40, #{GDRAM.base & 0xFFFFFFFF}
    SHIGH $40, #{GDRAM.base >> 32}
    SLOAD $41, #{NRAM.base}
    SGET $1, #0
    SADD.i64 $2, $1, #1
"""
"""$40 GDRAM, $41 NRAM, $1 taskId, $2 taskId + 1."""
STORE = """
    SYNC #7
    SMUL.i64 $3, $1, #64
    SADD.i64 $3, $3, $40
    SLOAD $4, #64
    SADD.i64 $3, $3, #1024
    VSTORE $3, $4, $41
    HALT
"""
"""64 bytes of NRAM to GDRAM + 1024 + 64 taskId."""
BOTH = pytest.mark.parametrize("executor", EXECUTORS)


def old_values(memory, tasks: int, kind: type = np.int32) -> list:  # type: ignore[no-untyped-def]
    size = 64 // np.dtype(kind).itemsize
    return memory.read(GDRAM.base + 1024, kind, tasks * size)[::size].tolist()


@BOTH
@pytest.mark.parametrize("task_type", ["BLOCK", "UNION2"])
def test_every_task_counts_once_in_the_order_of_the_tasks(executor: str, task_type: str) -> None:
    text = HEAD + "ATOM.add.i32 $41, $40, $2" + STORE
    memory, trace = launch(text, chip(2, 4), (16, 1, 1), task_type, executor=executor)
    assert memory.read(GDRAM.base, np.int32, 1)[0] == sum(range(1, 17))
    assert old_values(memory, 16) == [sum(range(1, task + 1)) for task in range(16)]
    timed(trace, chip(2, 4))


@BOTH
def test_sums_of_floats_have_one_order(executor: str) -> None:
    """1 + 2^-24 eight times is 1; the other way round it is not."""
    start = np.array([2.0**-24], np.float32)
    text = HEAD + "SLOAD $5, #f32:5.9604644775390625e-8\nSLOAD $6, #f32:1\nSLOAD $7, #0\n"
    text += "SEQ.i64 $7, $1, $7\nSSEL $5, $7, $6, $5\nATOM.add.f32 $41, $40, $5" + STORE
    memory, _ = launch(text, chip(2, 4), (8, 1, 1), filled=start, executor=executor, threads=4)
    total = np.float32(2.0**-24)
    for value in [1.0] + [2.0**-24] * 7:
        total = np.float32(total + np.float32(value))
    assert memory.read(GDRAM.base, np.float32, 1)[0] == total


MEANING = {
    "add": lambda x, y: x + y, "min": min, "max": max, "exch": lambda x, y: y,
    "and": lambda x, y: x & y, "or": lambda x, y: x | y, "xor": lambda x, y: x ^ y,
    "inc": lambda x, y: 0 if x >= y else x + 1,
    "dec": lambda x, y: y if x == 0 or x > y else x - 1,
}  # fmt: skip
OLD = [0, 5, 7, 9, 100, 3]
OPERAND = [5, 5, 6, 12, 30, 1]


@BOTH
@pytest.mark.parametrize("name", OPERATIONS)
def test_vectors(name: str, executor: str) -> None:
    for kind in OPERATIONS[name][1]:
        element = numpy_of(kind)
        filled = np.zeros(1024, np.uint8)
        filled[: 6 * element.itemsize] = np.array(OLD, element).view(np.uint8)
        filled[512 : 512 + 6 * element.itemsize] = np.array(OPERAND, element).view(np.uint8)
        text = (
            HEAD
            + f"""
            SADD.i64 $5, $40, #512
            SADD.i64 $6, $41, #512
            SLOAD $7, #64
            VLOAD $6, $7, $5
            SLOAD $8, #6
            ATOMV.{name}.{kind} $41, $8, $40, $6
        """
        )
        memory, _ = launch(text + STORE, ROUND, (1, 1, 1), executor=executor, filled=filled)
        assert memory.read(GDRAM.base + 1024, element, 6).tolist() == OLD
        want = [MEANING[name](x, y) for x, y in zip(OLD, OPERAND, strict=True)]
        assert memory.read(GDRAM.base, element, 6).tolist() == want


@BOTH
def test_reduction_leaves_nothing_in_nram(executor: str) -> None:
    text = HEAD + "SLOAD $8, #16\nVSET.f32 $41, $8, $9\nSYNC #7\nATOMR.add.f32 $8, $40, $41"
    filled = np.arange(16, dtype=np.float32)
    text = text.replace("VSET", "SLOAD $9, #f32:0.5\nVSET") + STORE
    memory, _ = launch(text, chip(1, 2), (2, 1, 1), executor=executor, filled=filled)
    assert memory.read(GDRAM.base, np.float32, 16).tolist() == (filled + 1).tolist()
    assert old_values(memory, 2, np.float32) == [0.5, 0.5]


@BOTH
def test_compare_and_swap_lets_one_task_in(executor: str) -> None:
    text = HEAD + "SLOAD $5, #0\nACAS.exch.i32 $41, $40, $5, $2" + STORE
    memory, _ = launch(text, chip(2, 2), (4, 1, 1), executor=executor)
    assert memory.read(GDRAM.base, np.int32, 1)[0] == 1
    assert old_values(memory, 4) == [0, 1, 1, 1]


SECTION = """
    SLOAD $5, #3
    LOCK $5
    SYNC #7
    SLOAD.i64 $6, $40, #0
    SMUL.i64 $6, $6, #3
    SADD.i64 $6, $6, $2
    SSTORE.i64 $6, $40, #0
    UNLOCK $5
    SYNC #7
    HALT
"""


@BOTH
def test_locked_sections_do_not_mix(executor: str) -> None:
    memory, _ = launch(HEAD + SECTION, chip(2, 4), (8, 1, 1), executor=executor, threads=4)
    want = 0
    for task in range(8):
        want = 3 * want + task + 1
    assert memory.read(GDRAM.base, np.int64, 1)[0] == want


@BOTH
def test_no_order_of_tasks_mixes_sections(executor: str) -> None:
    """Counting by load and store, in turns of a few instructions."""
    text = HEAD + SECTION.replace("SMUL.i64 $6, $6, #3", "SADD.i64 $6, $6, #0")
    for seed in range(12):
        memory, _ = launch(text, chip(1, 4), (4, 1, 1), executor=executor, schedule=seed)
        assert memory.read(GDRAM.base, np.int64, 1)[0] == 10


SPIN = """
    SLOAD $5, #0
    SLOAD $7, #1
again:
    ACAS.exch.i32 $41, $40, $5, $7
    SYNC #7
    SLOAD.i32 $6, $41, #0
    SNE.i64 $6, $6, $5
    CB again, $6
    SLOAD.i64 $6, $40, #8
    SADD.i64 $6, $6, $2
    SSTORE.i64 $6, $40, #8
    ATOM.exch.i32 $41, $40, $5
    HALT
"""


@BOTH
def test_a_lock_of_compare_and_swap(executor: str) -> None:
    memory, _ = launch(HEAD + SPIN, chip(1, 4), (4, 1, 1), "UNION1", executor=executor,
                       checks=SAME_BYTES)  # fmt: skip
    assert memory.read(GDRAM.base + 8, np.int64, 1)[0] == 10


@BOTH
@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("LOCK $1\nLOCK $1\nHALT", "a lock inside a locked section"),
        ("LOCK $1\nUNLOCK $2\nHALT", "an unlock of a lock that is not held"),
        ("UNLOCK $1\nHALT", "an unlock of a lock that is not held"),
        ("LOCK $1\nBARRIER $1, $1, $2\nHALT", "a barrier inside a locked section"),
        ("LOCK $1\nHALT", "the task ends inside a locked section"),
        ("ATOM.add.i32 $41, $41, $2\nHALT",
         "src must lie in GDRAM, and the other operands in NRAM"),
    ],
)  # fmt: skip
def test_refused(body: str, what: str, executor: str) -> None:
    with pytest.raises(ZhisuanError) as caught:
        launch(HEAD + body, ROUND, (1, 1, 1), executor=executor)
    assert caught.value.what == what


def test_the_shared_side_is_marked_atomic() -> None:
    row = BY_NAME["ATOMV"]
    named = {"dst": NRAM.base, "n": 4, "src": GDRAM.base, "a": NRAM.base + 64}
    touches = row.touches(Operands("add.f16", named))
    assert {(touch.base, touch.span) for touch in touches if touch.atomic} == {(GDRAM.base, 8)}
    assert sum(touch.atomic for touch in touches) == 2  # read, and written
