"""`zhisuan debug`: stop in kernels, step them forwards and backwards, look at what they hold.

What is debugged: a kernel of a .bcl, .dlps or .dlp file, launched as `zhisuan run` launches it; a
launch of a .plan; a whole program, .mlu, host and kernels.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhisuan.cli import options

if TYPE_CHECKING:
    from zhisuan.debug.launch import Launch
    from zhisuan.isa.program import Program


def debug(
    words: Annotated[
        list[str],
        typer.Argument(help="A file with kernels, a .plan, or a program's files and arguments."),
    ],
    kernel: Annotated[
        str | None,
        typer.Option("--kernel", help="For a kernel: which one.", show_default=False),
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
    launch: Annotated[
        int, typer.Option("--launch", min=0, help="For a .plan: which launch, counted from 0.")
    ] = 0,
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", help="For a .plan: its inputs [inputs.safetensors beside it].",
                     show_default=False),
    ] = None,
    optimize: Annotated[
        int, typer.Option("-O", min=0, max=3, help="Optimisation level of source files.")
    ] = 0,
    machine: options.Machine = None,
    commands: Annotated[
        Path | None,
        typer.Option("-x", "--commands", help="File of commands to begin with.",
                     show_default=False),
    ] = None,
    execute: Annotated[
        list[str] | None,
        typer.Option("-e", "--execute", help="A command to begin with.", show_default=False),
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help="Leave when the commands are done.")
    ] = False,
) -> None:  # fmt: skip
    """Debug kernels: break, step, look at memory, and go back.

    `help` at the prompt lists its commands.
    """
    from zhisuan.base.files import read_text
    from zhisuan.debug.prompt import Prompt, read_history
    from zhisuan.debug.terminal import Quit

    script = read_text(commands).splitlines() if commands is not None else []
    script += execute or []
    prompt = Prompt(script, batch=batch)
    if not batch:
        read_history()
    file = Path(words[0])
    wanted = _Wanted(kernel, arg or [], tasks, task_type, machine, optimize)
    target = _plan_launch(file, launch, inputs, machine) if file.suffix == ".plan" else None
    try:
        prompt.debug(target or wanted.launch(file))
    except Quit:
        return


class _Wanted:
    """A kernel of a file as the options launch it."""

    def __init__(
        self, kernel: str | None, texts: list[str], tasks: str | None, task_type: str | None,
        machine: str | None, optimize: int,
    ) -> None:  # fmt: skip
        self.kernel, self.texts, self.tasks, self.task_type = kernel, texts, tasks, task_type
        self.machine, self.optimize = machine, optimize

    def launch(self, file: Path) -> Launch:
        from zhisuan.arch import load as machines
        from zhisuan.cli import launch as by_hand
        from zhisuan.debug.launch import Launch
        from zhisuan.runtime.card import Card

        chip = machines.load(self.machine or machines.DEFAULT)
        program = _program(file, self.optimize, chip)
        entry = by_hand.kernel_of(program, self.kernel)
        given = by_hand.given_arguments(entry, self.texts)
        card = Card(chip, ())
        values: list[int | float] = []
        for parameter in entry.parameters:
            text = given[parameter.name]
            if parameter.kind != "ptr":
                values.append(by_hand.scalar_argument(parameter, text))
                continue
            array = by_hand.buffer_argument(parameter, text)
            values.append(card.allocate(max(array.nbytes, 1), parameter.name))
            card.write(int(values[-1]), array)
        dims = by_hand.dimensions(self.tasks)
        return Launch(
            program, entry.name, values, card.device.memory, dims, self.task_type or "BLOCK",
            card.device.executor, (file.parent,),
        )  # fmt: skip


def _program(file: Path, optimize: int, chip) -> Program:  # type: ignore[no-untyped-def]
    """Source is compiled with debug information; any other file is taken as it is."""
    from zhisuan import bcl, pipeline
    from zhisuan.base.files import read_text
    from zhisuan.bcl.architecture import defined_for

    if file.suffix not in (".bcl", ".mlu"):
        return pipeline.load_program(file)
    return bcl.compile(
        read_text(file), str(file), optimize=optimize, defines=defined_for(chip),
        include_dirs=(file.parent,),
    ).program  # fmt: skip


def _plan_launch(file: Path, number: int, inputs: Path | None, machine: str | None) -> Launch:
    """A launch of a plan, all launches before it done."""
    from zhisuan import pipeline
    from zhisuan.arch import load as machines
    from zhisuan.base import knobs
    from zhisuan.base.errors import ZhisuanError
    from zhisuan.debug.launch import Launch
    from zhisuan.isa.program import Program
    from zhisuan.runtime import plan as plans
    from zhisuan.runtime.device import Loaded

    plan = plans.load(file)
    if number >= len(plan.launches):
        raise ZhisuanError(f"the plan has no launch {number}", where="--launch",
                           expected=f"0 to {len(plan.launches) - 1}")  # fmt: skip
    programs = {name: Program.load(file.parent / path) for name, path in plan.programs.items()}
    loaded = Loaded(
        plan, programs, pipeline.read_tensors(file.parent / plan.data),
        machines.load(machine or plan.machine), executor=knobs.executor() or "native", checks=(),
    )  # fmt: skip
    loaded.begin(pipeline.read_inputs(inputs, file.parent))
    for index in range(number):
        loaded.launch(index)
    launch = plan.launches[number]
    program, device = programs[launch.program], loaded.device
    order = [parameter.name for parameter in program.kernel(launch.kernel).parameters]
    return Launch(
        program, launch.kernel, [launch.args[name] for name in order], device.memory, launch.dims,
        launch.task_type, device.executor, (file.parent,), number,
    )  # fmt: skip
