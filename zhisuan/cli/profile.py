"""`zhisuan profile`: run a file of any step, and tell by source line where the time went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhisuan.cli import options
from zhisuan.cli.programs import Define, Include, Level

if TYPE_CHECKING:
    from zhisuan.report.model import RunReport
    from zhisuan.report.profile.profile import Profile

_KERNELS = (".bcl", ".ll", ".dlps", ".dlp")
_MODELS = (".plan", ".onnx", ".graph")
_FOR_KERNELS = ("--kernel", "--arg", "--tasks", "--type")
_FOR_PROGRAMS = ("--include", "--define", "-O", "arguments")
Given = dict[str, object]
"""Options by name, without those that were left out."""


def profile(
    words: Annotated[
        list[str],
        typer.Argument(
            help="A .trace, .plan, .onnx, .graph, .bcl, .dlps or .dlp file; or a whole program's "
            "files (.mlu, .cpp), then arguments for its main."
        ),
    ],
    report: options.Report = None,
    perfetto: Annotated[
        Path | None,
        typer.Option("--perfetto", help="Trace for Perfetto to write, .perfetto-trace.",
                     show_default=False),
    ] = None,
    machine: options.Machine = None,
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", help="For a model: inputs by name.", show_default=False),
    ] = None,
    kernel: Annotated[
        str | None,
        typer.Option("--kernel", help="For a kernel file: the kernel to launch.",
                     show_default=False),
    ] = None,
    arg: Annotated[
        list[str] | None,
        typer.Option("--arg", help="For a kernel: NAME=7, NAME=x.npy or NAME=f32[1024].",
                     show_default=False),
    ] = None,
    tasks: Annotated[
        str | None,
        typer.Option("--tasks", help="For a kernel: tasks to launch, 16 or 16x2x1 [one].",
                     show_default=False),
    ] = None,
    task_type: Annotated[
        str | None,
        typer.Option("--type", help="For a kernel: BLOCK, UNION1, UNION2, UNION4, UNION8 [BLOCK].",
                     show_default=False),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", help="For a trace: its plan [the one beside it].",
                     show_default=False),
    ] = None,
    program: Annotated[
        list[Path] | None,
        typer.Option("--program", help="For a trace: a program it ran, .dlp, .dlps or .bcl.",
                     show_default=False),
    ] = None,
    include: Include = None,
    define: Define = None,
    optimize: Level = 2,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Tell by source line where the time went, and what to change.

    Runs what the file still needs on the simulated chip.
    """
    from zhisuan.base.files import Outputs
    from zhisuan.cli import outputs as names
    from zhisuan.cli import screen

    wanted = {"--report": report, "--perfetto": perfetto}
    names.check_distinct({f"FILE {words[0]}": Path(words[0])}, wanted)
    given = {
        "--inputs": inputs, "--kernel": kernel, "--arg": arg, "--tasks": tasks,
        "--type": task_type, "--plan": plan, "--program": program, "--include": include,
        "--define": define, "-O": None if optimize == 2 else optimize,
        "arguments": words[1:] or None,
    }  # fmt: skip
    with Outputs() as claimed:
        out = {name: claimed.file(path) for name, path in wanted.items() if path is not None}
        run, folders = _run(words, machine, {k: v for k, v in given.items() if v is not None})
        found = _profile(run, folders)
        if report is not None:
            from zhisuan.report.profile.page import page

            out["--report"].write_text(page(found), encoding="utf-8", errors="replace")
        if perfetto is not None:
            from zhisuan.report.profile.perfetto import perfetto_trace

            out["--perfetto"].write_bytes(perfetto_trace(found))
    _show(found, as_json)
    written = {"report": report, "perfetto trace": perfetto}
    screen.show_written({k: v for k, v in written.items() if v is not None}, as_json)


def _run(words: list[str], machine: str | None, given: Given) -> tuple[RunReport, list[Path]]:
    """What the chip did, and folders where sources may lie."""
    file = Path(words[0])
    if file.suffix == ".trace":
        _refuse(file, given, ("--plan", "--program"))
        return _of_trace(file, machine, given)
    if file.suffix in _MODELS:
        _refuse(file, given, ("--inputs",))
        return _of_model(file, machine, given)
    if file.suffix in _KERNELS:
        _refuse(file, given, _FOR_KERNELS)
        return _of_kernel(file, machine, given), [file.parent]
    _refuse(file, given, _FOR_PROGRAMS)
    return _of_program(words, machine, given)


def _refuse(file: Path, given: Given, known: tuple[str, ...]) -> None:
    """An option that means nothing for this file is an error."""
    from zhisuan.base.errors import ZhisuanError

    for name in given:
        if name not in known:
            raise ZhisuanError(
                f"{name} means nothing for a {file.suffix} file",
                where=str(file),
                expected=", ".join(known),
                found=name,
            )


def _of_trace(file: Path, machine: str | None, given: Given) -> tuple[RunReport, list[Path]]:
    from dataclasses import replace

    from zhisuan import pipeline
    from zhisuan.cli.timing import report_of
    from zhisuan.kernels import library

    plan = given.get("--plan")
    run = report_of(file, machine, plan if isinstance(plan, Path) else None)
    paths = given.get("--program")
    named = [path for path in paths if isinstance(path, Path)] if isinstance(paths, list) else []
    more = [pipeline.load_program(path) for path in named]
    programs = {**run.programs, **{program.name: program for program in more}}
    folders = [file.parent, *(path.parent for path in named), library.HERE]
    return replace(run, programs=programs), folders


def _of_model(file: Path, machine: str | None, given: Given) -> tuple[RunReport, list[Path]]:
    from zhisuan import pipeline
    from zhisuan.cli import screen
    from zhisuan.kernels import library

    inputs = given.get("--inputs")
    path = inputs if isinstance(inputs, Path) else None
    with screen.layer_progress() as progress:
        run = pipeline.run_plan if file.suffix == ".plan" else pipeline.run_graph
        done = run(file, path, machine, progress)
    return done.report, [file.parent, library.HERE]


def _of_kernel(file: Path, machine: str | None, given: Given) -> RunReport:
    from zhisuan import pipeline
    from zhisuan.cli.launch import dimensions, launch

    def text(name: str) -> str | None:
        value = given.get(name)
        return value if isinstance(value, str) else None

    arguments = given.get("--arg")
    done = launch(
        pipeline.load_program(file, machine),
        text("--kernel"),
        list(arguments) if isinstance(arguments, list) else [],
        machine,
        dims=dimensions(text("--tasks")),
        task_type=text("--type") or "BLOCK",
    )
    return done.report


def _of_program(
    words: list[str], machine: str | None, given: Given
) -> tuple[RunReport, list[Path]]:
    from zhisuan.arch import load as machines
    from zhisuan.base.errors import ZhisuanError
    from zhisuan.cli import programs
    from zhisuan.runtime import host_run

    files, arguments = programs.split_words(words)
    name = machine or programs.MACHINE
    level = given.get("-O", 2)
    include, define = given.get("--include"), given.get("--define")
    library = programs.build_library(
        files,
        machines.load(name),
        list(include) if isinstance(include, list) else None,
        list(define) if isinstance(define, list) else None,
        level if isinstance(level, int) else 2,
    )
    done = host_run.run(library, arguments, name, name=str(files[0]))
    run = programs.report_of(done, files[0], name)
    if run is None:
        raise ZhisuanError(
            "there is nothing to profile",
            where=str(files[0]),
            expected="a program that launches a kernel and ends well",
            found=f"it ended with status {done.status}",
        )
    return run, [file.parent for file in files]


def _profile(run: RunReport, folders: list[Path]) -> Profile:
    from contextlib import ExitStack

    from zhisuan.base.progress import Bar, bar
    from zhisuan.report.profile.profile import profile
    from zhisuan.report.profile.sources import read_sources

    drawn: list[Bar] = []

    def progress(done: int, total: int, label: str) -> None:
        if not drawn:
            drawn.append(stack.enter_context(bar("profile", total)))
        drawn[0].label(label)
        drawn[0].advance(1 if done else 0)

    with ExitStack() as stack:
        return profile(run, read_sources(run.programs, folders), progress)


def _show(found: Profile, as_json: bool) -> None:
    import json

    from zhisuan.report.profile.text import print_profile, to_json

    if as_json:
        print(json.dumps(to_json(found), indent=2))
    else:
        print_profile(found)
