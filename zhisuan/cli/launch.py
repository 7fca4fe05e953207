"""One kernel of a program, launched by hand: `zhisuan run FILE.dlp --kernel K --arg …`.

In: a program, a kernel's name, `NAME=VALUE` arguments.  Out: an `Execution`.  A pointer
argument is a buffer in DRAM: filled from a `.npy` file, or zero (`f32[1024]`); after the run
every buffer is an output under its argument's name.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zhisuan.arch import load as machines
from zhisuan.base import dtype as dtypes
from zhisuan.base import knobs
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.cli.signature import arguments, parameters
from zhisuan.cli.values import pair
from zhisuan.isa.address import GDRAM
from zhisuan.isa.number import FLOATS
from zhisuan.isa.program import Kernel, Parameter, Program
from zhisuan.pipeline import Execution
from zhisuan.report.model import Layer, RunReport
from zhisuan.runtime.device import Device
from zhisuan.runtime.orders import refuse_differences
from zhisuan.sim.checks.allocation import Allocation
from zhisuan.sim.tasks import ONE_TASK, Dims
from zhisuan.sim.timing import replay
from zhisuan.sim.trace import Trace

ALIGNMENT = 128


def launch(
    program: Program,
    kernel: str | None,
    texts: list[str],
    machine: str | None,
    checks: Sequence[str] | None = None,
    dims: Dims = ONE_TASK,
    task_type: str = "BLOCK",
    schedule: int | None = None,
) -> Execution:
    """Launch on a fresh device, and time the launch; what the checks find is an error.

    With a seed, `schedule`, launch again with the tasks in another order: results must not differ.
    """
    entry = kernel_of(program, kernel)
    given = given_arguments(entry, texts)
    chip = machines.load(machine or machines.DEFAULT)
    buffers = {p.name: buffer_argument(p, given[p.name]) for p in entry.parameters if p.is_pointer}
    scalars = {
        p.name: scalar_argument(p, given[p.name]) for p in entry.parameters if not p.is_pointer
    }
    start = time.perf_counter()

    def run(seed: int | None) -> tuple[dict[str, np.ndarray], Trace]:
        device = Device(chip, knobs.executor(), checks, seed)
        return _run(device, program, entry, buffers, scalars, dims, task_type)

    outputs, trace = run(None)
    if schedule is not None:
        refuse_differences(outputs, run(schedule)[0], schedule)
    seconds = {"simulate values": time.perf_counter() - start}
    report = RunReport(
        title=f"{entry.name} of {program.name}",
        machine=chip,
        timing=replay(trace, chip),
        trace=trace,
        layers=(Layer(entry.name, (0,), 0),),
        host_seconds=seconds,
        programs={program.name: program},
    )
    return Execution(outputs, trace, report)


def _run(
    device: Device,
    program: Program,
    kernel: Kernel,
    buffers: dict[str, np.ndarray],
    scalars: dict[str, int | float],
    dims: Dims,
    task_type: str,
) -> tuple[dict[str, np.ndarray], Trace]:
    """The buffers after a launch, and its trace."""
    addresses = _place(buffers)
    device.reserve(sum(_room(values) for values in buffers.values()))
    for name, values in buffers.items():
        device.memory.write(addresses[name], values.reshape(-1))
    held = [
        Allocation(name, addresses[name], max(values.nbytes, 1), filled=True)
        for name, values in buffers.items()
    ]
    with device.checking(held):
        device.launch(program, kernel.name, {**addresses, **scalars}, kernel.name, dims,
                      task_type)  # fmt: skip
    outputs = {
        name: device.memory.read(addresses[name], values.dtype, values.size).reshape(values.shape)
        for name, values in buffers.items()
    }
    return outputs, device.trace.build()


def dimensions(text: str | None) -> Dims:
    """`--tasks`: one to three numbers with x between; without it a single task."""
    numbers = (text or "1").lower().split("x")
    if len(numbers) > 3 or not all(number.isdecimal() for number in numbers):
        raise ZhisuanError(
            "not the dimensions of a launch",
            where="--tasks",
            expected="one to three numbers, such as 16 or 16x2x1",
            found=repr(text),
        )
    x, y, z = (int(number) for number in [*numbers, "1", "1"][:3])
    return x, y, z


def kernel_of(program: Program, name: str | None) -> Kernel:
    if name is not None:
        return program.kernel(name)
    if len(program.kernels) == 1:
        return next(iter(program.kernels.values()))
    raise ZhisuanError(
        f"program '{program.name}' has several kernels",
        where="--kernel",
        expected="one of " + ", ".join(program.kernels),
        found="none named",
        hint=f"--kernel {next(iter(program.kernels), 'NAME')}",
    )


def given_arguments(kernel: Kernel, texts: list[str]) -> dict[str, str]:
    """Argument texts by name, exactly those of the kernel's parameters."""
    given = dict(pair(text, "--arg", "n=1024") for text in texts)
    names = [parameter.name for parameter in kernel.parameters]
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    if missing or unknown:
        raise ZhisuanError(
            f"kernel '{kernel.name}' needs other arguments",
            where="--arg",
            expected=parameters(kernel),
            found=", ".join(given) or "none",
            hint=(did_you_mean(unknown[0], names) if unknown else None)
            or arguments(missing)
            or f"leave out --arg {unknown[0]}",
        )
    return given


def buffer_argument(parameter: Parameter, text: str) -> np.ndarray:
    """The array a pointer argument starts as."""
    zeros = re.fullmatch(r"(\w+)\[(\d+)\]", text)
    if zeros and zeros[1] in dtypes.BY_NAME:
        return np.zeros(int(zeros[2]), dtypes.BY_NAME[zeros[1]].numpy)
    path = Path(text)
    if path.suffix == ".npy" and path.is_file():
        try:
            return np.load(path, allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise ZhisuanError("not a NumPy array file, or a damaged one", where=text,
                               expected="a complete .npy file",
                               found=str(error)) from error  # fmt: skip
    raise ZhisuanError(
        f"argument '{parameter.name}' is a pointer",
        where="--arg",
        expected="an existing .npy file, or a type and a count as in f32[1024]",
        found=text,
        hint=f"--arg {parameter.name}=f32[1024]",
    )


def scalar_argument(parameter: Parameter, text: str) -> int | float:
    try:
        return float(text) if parameter.kind in FLOATS else int(text, 0)
    except ValueError:
        raise ZhisuanError(
            f"argument '{parameter.name}' is not a number of its kind",
            where="--arg",
            expected=f"{parameter.kind}",
            found=text,
            hint=f"--arg {parameter.name}=1",
        ) from None


def _room(values: np.ndarray) -> int:
    return max(-(-values.nbytes // ALIGNMENT) * ALIGNMENT, ALIGNMENT)


def _place(buffers: dict[str, np.ndarray]) -> dict[str, int]:
    """One after the other from the start of GDRAM."""
    addresses, next_free = {}, GDRAM.base
    for name, values in buffers.items():
        addresses[name] = next_free
        next_free += _room(values)
    return addresses
