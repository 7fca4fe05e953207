"""Kernels for tests of the debugger, and launches of them that wait for their first instruction."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zhisuan import bcl
from zhisuan.arch.load import load
from zhisuan.bcl.architecture import defined_for
from zhisuan.debug.launch import Launch
from zhisuan.debug.session import Session
from zhisuan.runtime.card import Card
from zhisuan.sim.tasks import ONE_TASK, Dims

SCALED = """#include <bang.h>
#define N 64

template <typename T, int K>
__attribute__((noinline)) __mlu_func__ T scaled(T x) {
  T y = x * (T)K;
  return y + (T)1;
}

template <typename T>
__mlu_entry__ void work(T *out, const T *in, int n) {
  __nram__ T a[N];
  __nram__ T b[N];
  int each = n / taskDim;
  int from = taskId * each;
  for (int i = 0; i < each; i += N) {
    __memcpy(a, in + from + i, N * sizeof(T), GDRAM2NRAM);
    __bang_add(b, a, a, N);
    b[0] = scaled<T, 3>(a[0]);
    __memcpy(out + from + i, b, N * sizeof(T), NRAM2GDRAM);
  }
}
template __mlu_entry__ void work<float>(float *, const float *, int);
"""
"""A template; in `out` twice `in`, every 64th element thrice and one more."""

MEETING = """#include <bang.h>
__mlu_entry__ void meeting(int *out, int rounds) {
  __mlu_shared__ int sums[8];
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i <= taskId; ++i) sums[taskId] += i + round;
    __sync_cluster();
    if (coreId == 0) {
      int total = 0;
      for (int i = 0; i < coreDim; ++i) total += sums[clusterId * coreDim + i];
      out[clusterId] = total;
      printf("cluster %d round %d: %d\\n", clusterId, round, total);
    }
    __sync_all();
  }
}
"""
"""Barriers, shared memory, printf."""


def random_kernel(seed: int) -> str:
    """Loops, branches, calls, tiles and barriers, whatever a seed makes of them."""
    choice = random.Random(seed)
    names = ("x", "y", "z")

    def statement(depth: int) -> str:
        a, b, c = choice.choices(names, k=3)
        kinds = ["sum", "sum", "call", "tile", "store"] + ["loop", "if"] * (depth < 2)
        match choice.choice(kinds):
            case "sum":
                return f"{a} = {b} {choice.choice('+-*^|&')} ({c} + {choice.randint(1, 9)});"
            case "call":
                return f"{a} += mixed({b}, {c});"
            case "tile":
                return "__bang_add(t, t, u, 64);"
            case "store":
                return f"u[{choice.randint(0, 63)}] = (float)({a} & 255);"
            case "loop":
                i, turns = f"i{depth}", choice.randint(1, 4)
                return f"for (int {i} = 0; {i} < {turns}; ++{i}) {{\n{block(depth + 1)}\n}}"
        return f"if (({a} & {choice.randint(1, 7)}) != 0) {{\n{block(depth + 1)}\n}}"

    def block(depth: int) -> str:
        return "\n".join(statement(depth) for _ in range(choice.randint(2, 4)))

    return f"""#include <bang.h>
__attribute__((noinline)) __mlu_func__ int mixed(int a, int b) {{
  int c = a ^ (b << 3);
  return c - (a >> 2);
}}
__mlu_entry__ void random_kernel(float *out) {{
  __nram__ float t[64];
  __nram__ float u[64];
  __bang_write_zero(t, 64);
  __bang_write_zero(u, 64);
  int x = taskId, y = 3, z = 5;
  {block(0)}
  __sync_cluster();
  {block(0)}
  t[0] = (float)(x + y + z);
  __memcpy(out + taskId * 64, t, 256, NRAM2GDRAM);
}}
"""


def launch(
    source: str, *arguments: np.ndarray | int, name: str = "kernel.bcl", optimize: int = 1,
    machine: str = "mlu270", dims: Dims = ONE_TASK, task_type: str = "BLOCK",
    executor: str = "native", folders: Sequence[Path] = (), debug: bool = False,
) -> tuple[Launch, Card, list[int]]:  # fmt: skip
    """The launch of a source's only kernel, the card that it is on, where arrays are."""
    chip = load(machine)
    defines = defined_for(chip)
    program = bcl.compile(source, name, optimize=optimize, defines=defines, debug=debug).program
    card = Card(chip, ())
    values: list[int | float] = []
    places = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            values.append(card.allocate(argument.nbytes))
            card.write(int(values[-1]), argument)
            places.append(int(values[-1]))
        else:
            values.append(argument)
    kernel = next(iter(program.kernels))
    made = Launch(program, kernel, values, card.device.memory, dims, task_type, executor,
                  tuple(folders))  # fmt: skip
    return made, card, places


def scaled(executor: str = "native", optimize: int = 1) -> tuple[Session, Card, list[int]]:
    """SCALED on the eight cores of two clusters, input 0, 1, 2 …"""
    source = np.arange(1024, dtype=np.float32)
    made, card, places = launch(
        SCALED, np.zeros(1024, np.float32), source, 1024,
        dims=(8, 1, 1), task_type="UNION2", executor=executor, optimize=optimize,
    )  # fmt: skip
    return Session(made, tell=lambda _: None), card, places


def everything(session: Session) -> tuple[object, ...]:
    """All that decides how a launch goes on: tasks and memory."""
    state = session.tasks.state()
    tasks = tuple((item.core.registers, item.core.held, item.phase, session.tasks.pc(index))
                  for index, item in enumerate(state.tasks))  # fmt: skip
    in_use = session.launch.memory.in_use
    memory = {key: zlib.crc32(array.data) for key, array in in_use.items() if array.any()}
    return state.moment, state.wave, state.barriers, tasks, memory
