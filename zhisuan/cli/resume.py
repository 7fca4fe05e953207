"""`zhisuan run` and `zhisuan compile`: start from a file of any step and go on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhisuan.cli import check as checks
from zhisuan.cli import options
from zhisuan.cli.check import Check, Schedule

if TYPE_CHECKING:
    import numpy as np

    from zhisuan.report.model import RunReport


def run(
    file: Annotated[
        Path, typer.Argument(help="A .onnx, .graph, .plan, .bcl, .dlps, .dlp or .trace file.")
    ],
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", help="Inputs by name [inputs.safetensors beside FILE].",
                     show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Outputs by name, .safetensors; or a picture, .png.",
                     show_default=False),
    ] = None,
    machine: options.Machine = None,
    kernel: Annotated[
        str | None,
        typer.Option("--kernel", help="For a program: the kernel to launch.", show_default=False),
    ] = None,
    arg: Annotated[
        list[str] | None,
        typer.Option("--arg", help="For a program: NAME=7, NAME=x.npy or NAME=f32[1024].",
                     show_default=False),
    ] = None,
    tasks: Annotated[
        str | None,
        typer.Option("--tasks", help="For a program: tasks to launch, 16 or 16x2x1 [one].",
                     show_default=False),
    ] = None,
    task_type: Annotated[
        str | None,
        typer.Option("--type", help="For a program: BLOCK, UNION1, UNION2, UNION4, UNION8 [BLOCK].",
                     show_default=False),
    ] = None,
    report: options.Report = None,
    trace: options.Trace = None,
    check: Check = None,
    schedule: Schedule = None,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Go on from a file of any step.

    Runs what the file still needs on the simulated chip and reports what the chip did.
    """
    from zhisuan import pipeline
    from zhisuan.base.files import Outputs
    from zhisuan.cli import outputs as names
    from zhisuan.cli import screen, timing

    if file.suffix == ".trace":
        unused = {"--inputs": inputs, "--output": output, "--kernel": kernel, "--arg": arg,
                  "--tasks": tasks, "--type": task_type, "--trace": trace,
                  "--check": check, "--schedule": schedule}  # fmt: skip
        _refuse_for_trace(file, [name for name, value in unused.items() if value not in (None, [])])
        timing.time(file, machine, report=report, as_json=as_json)
        return
    picture = names.results_format(output) if output is not None else None
    asked = checks.names(check)
    wanted = {"--output": output, "--report": report, "--trace": trace}
    names.check_distinct({"FILE": file, "--inputs": inputs}, wanted)
    with Outputs() as claimed:
        files = {name: claimed.file(path) for name, path in wanted.items() if path is not None}
        with screen.layer_progress() as progress:
            if file.suffix == ".plan":
                done = pipeline.run_plan(file, inputs, machine, progress, asked, schedule)
            elif file.suffix in (".onnx", ".graph"):
                done = pipeline.run_graph(file, inputs, machine, progress, asked, schedule)
            else:
                from zhisuan.cli.launch import dimensions, launch

                dims = dimensions(tasks)
                program = pipeline.load_program(file, machine)
                done = launch(program, kernel, arg or [], machine, asked, dims,
                              task_type or "BLOCK", schedule)  # fmt: skip
        if output is not None:
            _write_results(done.outputs, files["--output"], picture)
        if report is not None:
            files["--report"].write_text(_page(done.report), encoding="utf-8")
        if trace is not None:
            files["--trace"].write_bytes(done.trace.to_bytes())
    screen.show_report(done.report, as_json)
    if not as_json:
        screen.show_tensors(done.outputs)
    written = {"outputs": output, "report": report, "trace": trace}
    screen.show_written({k: v for k, v in written.items() if v is not None}, as_json)


def _refuse_for_trace(file: Path, named: list[str]) -> None:
    """A trace is only timed again: options about values or programs have no meaning."""
    from zhisuan.base.errors import ZhisuanError

    if named:
        raise ZhisuanError(
            f"{named[0]} means nothing for a trace",
            where=str(file),
            expected="--machine, --report or --json: a trace is timed, not executed again",
            found=", ".join(named),
            hint="run the .plan instead",
        )


def _write_results(tensors: dict[str, np.ndarray], path: Path, picture: str | None) -> None:
    """All results by name, or the one picture among them in Pillow's format `picture`."""
    import numpy as np

    from zhisuan.cli import outputs as names

    if picture is None:
        from safetensors.numpy import save

        contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
        path.write_bytes(save(contiguous))
        return
    from zhisuan.frontend.photo import to_picture

    image = names.image_among(tensors)
    to_picture(image, *image.shape[2:]).save(path, picture)


def _page(report: RunReport) -> str:
    from zhisuan.report.html import page

    return page(report)


def compile_model(
    model: Annotated[Path, typer.Argument(help="A .onnx or .graph file.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder to fill [the model's name, -compiled].",
                     show_default=False),
    ] = None,
    dim: Annotated[
        list[str] | None,
        typer.Option("--dim", help="A size the model leaves open: NAME=N.", show_default=False),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option("--size", help="HEIGHTxWIDTH: short for --dim h=HEIGHT --dim w=WIDTH.",
                     show_default=False),
    ] = None,
    machine: options.Machine = None,
) -> None:  # fmt: skip
    """Compile a model to a plan and programs.

    Fills a folder with plan, programs and data, and every step in between as a file.
    """
    from zhisuan import pipeline
    from zhisuan.arch.load import DEFAULT
    from zhisuan.base.files import Outputs
    from zhisuan.cli import screen
    from zhisuan.cli.values import dimensions

    folder = output or Path(f"{model.stem}-compiled")
    sizes = dimensions(dim or [], size)
    with Outputs() as claimed:
        plan = pipeline.compile_model(model, claimed.folder(folder), sizes, machine or DEFAULT)
    print(f"{len(plan.launches)} launches, {len(plan.programs)} programs, "
          f"{plan.dram_bytes:,} bytes of DRAM")  # fmt: skip
    screen.show_written({"steps": folder})
