"""Plans: the text form reads back, layouts convert both ways, broken plans are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhisuan.base.errors import VerifyError, ZhisuanError
from zhisuan.isa.program import Kernel, Parameter, Program
from zhisuan.runtime.plan import Buffer, Launch, Plan, dumps, loads, verify

BUFFERS = (
    Buffer("image", "input", "f16", (1, 3, 2, 5), "hwc", 0x1000, 60, 0, 0),
    Buffer("table", "constant", "f32", (4,), "flat", 0x2000, 16, 0, 1),
    Buffer("out", "output", "f16", (1, 3, 2, 5), "hwc", 0x3000, 60, 0, 1),
)
LAUNCH = Launch("copy", "copy", "first/copy", "first", "add", 12, {"dst": 0x3000, "factor": 0.5})
PLAN = Plan("net", "dlp-s", 0x4000, BUFFERS, (LAUNCH,), {"copy": "copy.dlp"}, "net.data")
PROGRAM = Program(
    "copy",
    np.zeros(1, np.uint64),
    {"copy": Kernel("copy", 0, (Parameter("dst", "ptr"), Parameter("factor", "f32")))},
)


def test_text_reads_back_to_the_same_plan() -> None:
    assert loads(dumps(PLAN)) == PLAN


def test_one_buffer_or_launch_a_line() -> None:
    lines = dumps(PLAN).splitlines()
    assert sum('"role"' in line for line in lines) == len(BUFFERS)
    assert sum('"kernel"' in line for line in lines) == 1


@pytest.mark.parametrize("cut", [0, 1, 40, 400])
def test_a_damaged_plan_is_one_error(cut: int) -> None:
    with pytest.raises(ZhisuanError, match="not a plan, or a damaged one"):
        loads(dumps(PLAN)[:cut], "net.plan")


def test_layout_and_type_convert_both_ways() -> None:
    image = np.arange(30, dtype=np.float32).reshape(1, 3, 2, 5)
    flat = BUFFERS[0].encode(image)
    assert flat.dtype == np.float16 and list(flat[:3]) == [0, 10, 20]  # channels of pixel (0, 0)
    assert np.array_equal(BUFFERS[0].decode(flat), image)


def test_an_input_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ZhisuanError) as caught:
        BUFFERS[0].encode(np.zeros((1, 3, 5, 2), np.float32))
    assert str(caught.value) == (
        "error: input 'image' has the wrong shape\n"
        "  expected: [1, 3, 2, 5]\n"
        "  found:    [1, 3, 5, 2]"
    )


def test_verify_accepts_the_plan() -> None:
    verify(PLAN, {"copy": PROGRAM})


def test_verify_refuses_live_buffers_that_overlap() -> None:
    moved = replace(BUFFERS[1], address=0x3000 + 32)
    with pytest.raises(VerifyError, match="'table' and 'out' overlap while both live"):
        verify(replace(PLAN, buffers=(BUFFERS[0], moved, BUFFERS[2])), {"copy": PROGRAM})


def test_verify_refuses_a_launch_without_its_arguments() -> None:
    short = replace(LAUNCH, args={"dst": 0x3000})
    with pytest.raises(VerifyError) as caught:
        verify(replace(PLAN, launches=(short,)), {"copy": PROGRAM})
    assert str(caught.value) == (
        "error: launch 'first/copy' does not give kernel 'copy' its arguments\n"
        "  expected: dst, factor\n"
        "  found:    differs in factor"
    )
