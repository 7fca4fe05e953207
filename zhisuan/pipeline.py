"""The map: from a model to a picture of what the machine did, one step after another.

`STEPS` is the way through the house.  Every step's result is a file somebody can read, and
every such file can be the start: `run` takes any of them and goes on from there.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zhisuan.arch import load as machines
from zhisuan.base import knobs
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.base.files import read_text, write_atomically
from zhisuan.report.model import Layer, RunReport
from zhisuan.runtime import plan as plans
from zhisuan.runtime.device import play
from zhisuan.runtime.orders import refuse_differences
from zhisuan.sim.execute import prepare
from zhisuan.sim.timing import replay

if TYPE_CHECKING:
    from PIL.Image import Image

    from zhisuan.arch.machine import Machine
    from zhisuan.graph.ir import Graph
    from zhisuan.isa.program import Program
    from zhisuan.lower import Lowered
    from zhisuan.models.examples import Examples
    from zhisuan.models.integers import QuantizedModel
    from zhisuan.sim.trace import Trace

Progress = Callable[[int, int, str], None]

STEPS: dict[str, str] = {
    ".onnx": "a model; imported into",
    ".graph": "the graph; optimised, then lowered for a size and a machine into",
    ".plan": "kernels, tiles, addresses, launches; run with the programs of its kernels:",
    ".bcl": "kernel source; compiled by clang into",
    ".ll": "LLVM IR; selected, allocated and ordered into",
    ".dlps": "DLP assembly; assembled into",
    ".dlp": "the encoded program; executed, leaving",
    ".trace": "what the machine did, instruction by instruction; timed for the report",
}
"""Extension → what such a file is; in the order of the path."""


@dataclass
class Clock:
    """Host seconds by part of the work."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@dataclass(frozen=True)
class Execution:
    """A played plan: outputs by name, the trace, and the report on it."""

    outputs: dict[str, np.ndarray]
    trace: Trace
    report: RunReport


@dataclass(frozen=True)
class StyleRun:
    """A restyled photograph and everything about how it was made."""

    photo: Image
    picture: Image
    trace: Trace
    report: RunReport


def execute(
    plan: plans.Plan,
    programs: dict[str, Program],
    constants: Mapping[str, np.ndarray],
    inputs: Mapping[str, np.ndarray],
    machine: Machine,
    *,
    clock: Clock | None = None,
    progress: Progress | None = None,
    title: str = "",
    checks: Sequence[str] | None = None,
    schedule: int | None = None,
) -> Execution:
    """Play a plan, time its trace, and account for every layer; what checks find is an error.

    With a seed, `schedule`, play it again with the tasks of each launch in another order: the
    outputs must not differ.
    """
    clock = clock or Clock()
    executor = knobs.executor()
    if progress:
        progress(0, len(plan.launches), "native core")
    with clock.part("prepare native core"):
        prepare(executor)
    with clock.part("simulate values"):
        outputs, trace = play(
            plan, programs, constants, inputs, machine,
            executor=executor, progress=progress, checks=checks,
        )  # fmt: skip
    if schedule is not None:
        with clock.part("simulate another order"):
            again, _ = play(
                plan, programs, constants, inputs, machine,
                executor=executor, checks=checks, schedule=schedule,
            )  # fmt: skip
        refuse_differences(outputs, again, schedule)
    with clock.part("replay timing"):
        timing = replay(trace, machine)
    layers = tuple(
        Layer(name, tuple(launches), macs) for name, (launches, macs) in plan.layers().items()
    )
    report = RunReport(
        title=title or plan.name,
        machine=machine,
        timing=timing,
        trace=trace,
        layers=layers,
        host_seconds=clock.seconds,
        programs=programs,
    )
    return Execution(outputs, trace, report)


def style(
    photo: Path | None,
    style: str = "19",
    size: str | int = 384,
    machine: str = machines.DEFAULT,
    emit: Path | None = None,
    progress: Progress | None = None,
    checks: Sequence[str] | None = None,
    int8: bool = False,
) -> StyleRun:
    """Restyle a photograph on the simulated chip; `emit` is an existing folder to fill.

    With `int8` the convolutions are of integers, scaled for this photograph in this style.
    """
    from zhisuan import quantize as integers
    from zhisuan.frontend import photo as photos
    from zhisuan.graph.rewrite import optimize
    from zhisuan.lower import lower
    from zhisuan.models import style as network

    clock = Clock()
    chip = machines.load(machine)
    number = network.resolve_style(style)
    with clock.part("read photo"):
        path = photo or photos.default_photo()
        wanted = photos.parse_size(str(size))
        picture = photos.load(path, wanted, network.SMALLEST_SIDE)
    inputs = {
        "image": photos.to_tensor(picture),
        "style_weights": network.style_vector(number),
    }
    with clock.part("import and optimise"):
        raw = network.load()
        graph = optimize(raw)
    if int8:
        with clock.part("calibrate"):
            graph = integers.quantize(graph, integers.calibrate(graph, [inputs])).graph
    with clock.part("compile and plan"):
        lowered = lower(graph, {"h": picture.height, "w": picture.width}, chip)
    title = f"{path.name} in style {number}, {picture.height}×{picture.width}"
    title += ", INT8" if int8 else ""
    done = execute(
        lowered.plan, lowered.programs, lowered.constants, inputs, chip,
        clock=clock, progress=progress, title=title, checks=checks,
    )  # fmt: skip
    (output,) = done.outputs.values()
    painting = photos.to_picture(output, picture.height, picture.width)
    report = _with_pictures(done.report, {"photograph": picture, f"style {number}": painting})
    if emit is not None:
        emit_all(emit, raw, graph, lowered, inputs, done)
    return StyleRun(picture, painting, done.trace, report)


def _with_pictures(report: RunReport, pictures: Mapping[str, Image]) -> RunReport:
    from dataclasses import replace

    def png(picture: Image) -> bytes:
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        return buffer.getvalue()

    return replace(report, pictures={name: png(image) for name, image in pictures.items()})


def emit_all(
    folder: Path,
    raw: Graph | None,
    graph: Graph,
    lowered: Lowered,
    inputs: Mapping[str, np.ndarray] | None,
    done: Execution | None,
) -> None:
    """Write every artifact of the path as numbered files into an existing folder."""
    from safetensors.numpy import save

    from zhisuan.graph import text
    from zhisuan.kernels import library

    name = graph.name
    if raw is not None:
        text.save(raw, folder / f"01-{name}-imported.graph")
    text.save(graph, folder / f"02-{name}.graph")
    files = {program: f"05-{program}.dlp" for program in lowered.programs}
    plan = plans.Plan(
        **{**lowered.plan.__dict__, "programs": files, "data": f"03-{name}.data.safetensors"}
    )
    plans.save(plan, folder / f"03-{name}.plan")
    write_atomically(folder / plan.data, save(dict(lowered.constants)))
    if inputs is not None:
        contiguous = {key: np.ascontiguousarray(value) for key, value in inputs.items()}
        write_atomically(folder / "inputs.safetensors", save(contiguous))
    for header in library.HEADERS:
        write_atomically(folder / header, (library.HERE / header).read_bytes())
    for program in lowered.programs:
        compiled = library.compiled(program)
        write_atomically(folder / f"04-{program}.bcl", library.source(program))
        write_atomically(folder / f"04-{program}.ll", compiled.llvm)
        write_atomically(folder / f"05-{program}.dlps", compiled.assembly)
        write_atomically(folder / files[program], compiled.program.to_bytes())
    if done is not None:
        done.trace.save(folder / f"06-{name}.trace")
        outputs = {key: np.ascontiguousarray(value) for key, value in done.outputs.items()}
        write_atomically(folder / "outputs.safetensors", save(outputs))


def compile_model(
    model: Path, folder: Path, sizes: Mapping[str, int], machine: str = machines.DEFAULT
) -> plans.Plan:
    """An ONNX model or `.graph` file → plan, programs, constants and all steps in between."""
    from zhisuan.graph.rewrite import optimize
    from zhisuan.lower import lower

    raw = load_graph(model)
    missing = [symbol for symbol in raw.symbols() if symbol not in sizes]
    if missing:
        raise ZhisuanError(
            f"the model leaves sizes open: {', '.join(missing)}",
            where=str(model),
            expected=" ".join(f"{symbol}=N" for symbol in raw.symbols()),
            found=" ".join(f"{name}={value}" for name, value in sizes.items()) or "none given",
            hint=" ".join(f"--dim {symbol}=256" for symbol in missing),
        )
    graph = optimize(raw)
    lowered = lower(graph, sizes, machines.load(machine))
    emit_all(folder, raw, graph, lowered, None, None)
    return lowered.plan


def load_graph(path: Path) -> Graph:
    """A graph from a `.graph` or `.onnx` file."""
    _existing(path)
    if path.suffix == ".graph":
        from zhisuan.graph import text

        return text.load(path)
    from zhisuan.frontend import onnx

    return onnx.load(path)


def run_plan(
    path: Path,
    inputs: Path | None = None,
    machine: str | None = None,
    progress: Progress | None = None,
    checks: Sequence[str] | None = None,
    schedule: int | None = None,
) -> Execution:
    """Play a `.plan` with the programs and data beside it; no graph is involved.

    `inputs` is a `.safetensors` file, by default `inputs.safetensors` beside the plan.
    """
    from zhisuan.isa.program import Program

    _existing(path)
    plan = plans.load(path)
    folder = path.parent
    programs = {
        name: Program.load(_existing(folder / file)) for name, file in plan.programs.items()
    }
    constants = read_tensors(folder / plan.data)
    given = read_inputs(inputs, folder)
    chip = machines.load(machine or plan.machine)
    return execute(
        plan, programs, constants, given, chip,
        progress=progress, checks=checks, schedule=schedule,
    )  # fmt: skip


def run_graph(
    path: Path,
    inputs: Path | None = None,
    machine: str | None = None,
    progress: Progress | None = None,
    checks: Sequence[str] | None = None,
    schedule: int | None = None,
) -> Execution:
    """Optimise, lower and run a `.graph` or `.onnx` file at the sizes of the given inputs."""
    from zhisuan.graph.reference import bind
    from zhisuan.graph.rewrite import optimize
    from zhisuan.lower import lower

    graph = optimize(load_graph(path))
    given = read_inputs(inputs, path.parent)
    chip = machines.load(machine or machines.DEFAULT)
    lowered = lower(graph, bind(graph, given), chip)
    return execute(
        lowered.plan, lowered.programs, lowered.constants, given, chip,
        progress=progress, checks=checks, schedule=schedule,
    )  # fmt: skip


def quantize(
    model: str, wanted: Examples, calibration: Path | None = None, **options: Any
) -> QuantizedModel:
    """A model file, or a network of this package by name → the graph of integers.

    `options` are those of `models.integers.quantize_model`.
    """
    from zhisuan.models.examples import network_called
    from zhisuan.models.integers import quantize_model

    named = network_called(model)
    graph = named.graph() if named else load_graph(Path(model))
    return quantize_model(graph, named, wanted, calibration, **options)


def load_program(path: Path, machine: str | None = None) -> Program:
    """A program from `.dlp`, `.dlps`, `.ll` or `.bcl`, by whatever steps it still needs.

    Source is compiled for the architecture of `machine`, a preset's name or a machine file.
    """
    _existing(path)
    if path.suffix == ".dlp":
        from zhisuan.isa.program import Program

        return Program.load(path)
    if path.suffix == ".dlps":
        from zhisuan.isa.asm import assemble

        return assemble(read_text(path), str(path))
    if path.suffix == ".ll":
        from zhisuan import bcl

        return bcl.from_llvm(read_text(path), path.stem)
    if path.suffix == ".bcl":
        from zhisuan import bcl

        text = read_text(path)
        return bcl.compile(text, path.name, machine=machine, include_dirs=(path.parent,)).program
    raise unknown_kind(path)


def read_inputs(named: Path | None, folder: Path) -> dict[str, np.ndarray]:
    """Inputs by name from the file named, else from `inputs.safetensors` in the folder."""
    path = named or folder / "inputs.safetensors"
    if named is None and not path.is_file():
        raise ZhisuanError(
            "there are no inputs",
            where=str(path),
            expected="a .safetensors file with the model's inputs by name",
            found="no such file, and no --inputs",
            hint="--inputs FILE.safetensors",
        )
    return read_tensors(path)


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Arrays by name from a `.safetensors` file; a damaged one is an error."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    _existing(path)
    try:
        return load(path.read_bytes())
    except (SafetensorError, KeyError, ValueError) as error:
        raise ZhisuanError("not a safetensors file, or a damaged one", where=str(path),
                           expected="named tensors", found=str(error)) from error  # fmt: skip


def unknown_kind(path: Path, known: tuple[str, ...] = tuple(STEPS)) -> ZhisuanError:
    """The error for a file whose extension says nothing to this step."""
    return ZhisuanError(
        f"cannot tell what to do with '{path.name}'",
        where=str(path),
        expected="a file ending in " + ", ".join(known),
        found=path.suffix or "no extension",
        hint=did_you_mean(path.suffix, known),
    )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ZhisuanError("no such file", where=str(path), expected="an existing file",
                           found="a folder" if path.is_dir() else "nothing")  # fmt: skip
    return path
