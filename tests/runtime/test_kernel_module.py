"""Kernels called from Python, with NumPy as the oracle."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan.base.errors import ZhisuanError
from zhisuan.runtime.kernel_module import KernelModule

SOURCE = """
__nram__ float x[1024];
__mlu_entry__ void scale(float *out, const float *in, float by, int n) {
  for (int i = taskId * 64; i < n; i += taskDim * 64) {
    __memcpy(x, in + i, 256, GDRAM2NRAM);
    for (int j = 0; j < 64; j++) x[j] *= by;
    __memcpy(out + i, x, 256, NRAM2GDRAM);
  }
}
__mlu_entry__ void ids(int *out) { out[taskId] = taskIdZ * 100 + taskIdY * 10 + taskIdX; }
__mlu_entry__ void spoil(int *p) { p[0] = 1; }
__mlu_entry__ void beyond(int *p, int n) { p[n] = 1; }
"""


@pytest.fixture
def module() -> KernelModule:
    return KernelModule(SOURCE, machine="mlu270")


def test_arrays_go_in_and_come_back(module: KernelModule) -> None:
    values = np.arange(512, dtype=np.float32)
    out = np.zeros(512, np.float32)
    module.scale[4, "UNION1"](out, values, 3.0, 512)
    assert np.array_equal(out, 3 * values)
    assert module.kernels == ("scale", "ids", "spoil", "beyond")


def test_without_optimisation_and_with_names_of_variables() -> None:
    module = KernelModule(SOURCE, optimize=0, debug=True)
    assert module.program.debug is not None
    assert module.program.debug.functions[0].name == "scale"
    out = np.zeros(2, np.int32)
    module.ids[2](out)
    assert out.tolist() == [0, 1]


def test_an_array_that_is_no_single_piece(module: KernelModule) -> None:
    wide = np.zeros((64, 4), np.float32)
    module.scale(wide[:, 1], np.ones(64, np.float32), 2.0, 64)
    assert np.array_equal(wide[:, 1], np.full(64, 2, np.float32))
    assert not wide[:, [0, 2, 3]].any()


def test_one_array_for_two_parameters(module: KernelModule) -> None:
    values = np.ones(64, np.float32)
    module.scale(values, values, 5.0, 64)
    assert np.array_equal(values, np.full(64, 5, np.float32))


def test_a_grid_of_three(module: KernelModule) -> None:
    out = np.zeros(12, np.int32)
    module.ids[(3, 2, 2)](out)
    wanted = [z * 100 + y * 10 + x for z in range(2) for y in range(2) for x in range(3)]
    assert out.tolist() == wanted
    again = np.zeros(6, np.int32)
    module.ids[3, 2](again)
    assert again.tolist() == wanted[:6]


def test_arrays_that_stay_and_queues_that_count(module: KernelModule) -> None:
    queue = module.queue()
    held = module.to_device(np.ones((8, 64), np.float32))
    for _ in range(3):
        module.scale[4, "UNION1", queue](held, held, 2.0, 512)
    assert np.array_equal(held.get(), np.full((8, 64), 8, np.float32))
    assert len(queue.cycles) == 3
    assert min(queue.cycles) > 0
    assert queue.seconds == pytest.approx(sum(queue.cycles) / module.card.machine.clock_hz)
    assert module.default_queue.cycles == []
    held.free()
    with pytest.raises(ZhisuanError, match="which was freed already"):
        held.free()


def test_instances_of_a_template() -> None:
    source = """template <typename T> __mlu_entry__ void f(T *p) { p[0] = T(7) / T(2); }
    template __mlu_entry__ void f<int>(int *); template __mlu_entry__ void f<float>(float *);"""
    module = KernelModule(source)
    whole, real = np.zeros(1, np.int32), np.zeros(1, np.float32)
    module["f<int>"](whole)
    module["f<float>"](real)
    assert (whole[0], real[0]) == (3, 3.5)


def test_a_module_from_a_file(tmp_path) -> None:
    (tmp_path / "two.h").write_text("#define TWO 2\n")
    (tmp_path / "k.mlu").write_text('#include "two.h"\n__mlu_entry__ void k(int *p){p[0]=TWO;}')
    out = np.zeros(1, np.int32)
    KernelModule.from_file(tmp_path / "k.mlu").k(out)
    assert out[0] == 2


WRONG = {
    "count": (
        lambda m: m.ids(),
        "error: kernel 'ids' called with a wrong number of arguments\n"
        "  expected: 1: out\n  found:    0",
    ),
    "number for a pointer": (
        lambda m: m.ids(3),
        "error: argument 'out' of kernel 'ids' is not what the parameter takes\n"
        "  expected: a NumPy array or a DeviceArray\n  found:    int 3\n"
        "  try:      numpy.array(values, numpy.float32)",
    ),
    "array for a number": (
        lambda m: m.beyond(np.zeros(2, np.int32), np.zeros(2, np.int32)),
        "error: argument 'n' of kernel 'beyond' is not what the parameter takes\n"
        "  expected: a number, i32\n  found:    an array of int32, [2]",
    ),
    "number that does not fit": (
        lambda m: m.beyond(np.zeros(2, np.int32), 1.5),
        "error: argument 'n' of kernel 'beyond' does not fit\n"
        "  expected: beyond(ptr p, i32 n)\n  found:    1.5",
    ),
    "element type": (
        lambda m: m.ids(np.zeros(3)),
        "error: argument 'out' of kernel 'ids' has an element type that kernels do not have\n"
        "  expected: bool, int8, uint8, int16, uint16, int32, uint32, int64, uint64, float16, "
        "float32\n  found:    float64\n  try:      array.astype(numpy.float32)",
    ),
    "type of tasks": (
        lambda m: m.ids[4, "UNION3"],
        "error: no such task type\n  expected: BLOCK, UNION1, UNION2, UNION4, UNION8\n"
        "  found:    UNION3\n  try:      did you mean 'UNION8'?",
    ),
    "dimensions": (
        lambda m: m.ids[6, "UNION1"],
        "error: UNION1 launches whole clusters of 4 cores\n"
        "  expected: a first dimension that is a multiple of 4\n  found:    6 × 1 × 1",
    ),
    "how": (
        lambda m: m.ids["UNION1"],
        "error: not a way to launch kernel 'ids'\n"
        "  expected: [dims], [dims, type] or [dims, type, queue]\n  found:    ['UNION1']\n"
        '  try:      ids[4, "UNION1"](…) or ids[(4, 2, 1), "BLOCK", queue](…)',
    ),
    "kernel": (
        lambda m: m["scales"],
        "error: program 'kernels' has no kernel 'scales'\n"
        "  expected: one of scale, ids, spoil, beyond\n  try:      did you mean 'scale'?",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_launches(module: KernelModule, name: str) -> None:
    call, message = WRONG[name]
    with pytest.raises(ZhisuanError) as caught:
        call(module)
    assert str(caught.value) == message


def test_a_kernel_that_is_not_there(module: KernelModule) -> None:
    with pytest.raises(AttributeError, match="no kernel 'scald': did you mean 'scale'"):
        module.scald  # noqa: B018
    assert not hasattr(module, "__array__")


def test_an_array_that_must_not_change(module: KernelModule) -> None:
    values = np.zeros(4, np.int32)
    values.flags.writeable = False
    with pytest.raises(ZhisuanError, match="wrote to an array that is read-only"):
        module.spoil(values)
    assert not values.any()


def test_a_store_beyond_the_array_is_found_and_the_card_lives_on(module: KernelModule) -> None:
    module.to_device(np.zeros(1024, np.int32)).free()
    with pytest.raises(ZhisuanError, match="memcheck: 1 finding in 1 launch"):
        module.beyond(np.zeros(4, np.int32), 4)
    fresh = KernelModule(SOURCE, machine="mlu270", checks=())
    with pytest.raises(ZhisuanError, match="past the end of gdram"):
        fresh.beyond(np.zeros(4, np.int32), 1 << 20)
    out = np.zeros(2, np.int32)
    for usable in (module, fresh):
        usable.ids[2](out)
        assert out.tolist() == [0, 1]
