"""The requests of the protocol that are answered, and how.

Comes in: a request.  Goes out: one response; events before or after it.  A mistake of the client is
a response that says so, whatever it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zhisuan import __version__
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.debug.dap import code, looking, points
from zhisuan.debug.dap.adapter import Adapter
from zhisuan.debug.dap.wire import Message
from zhisuan.debug.stop import Left, Reason, Stop
from zhisuan.debug.symbols import Symbols
from zhisuan.debug.tasks import Phase
from zhisuan.debug.terminal import one_line

Arguments = dict[str, Any]
Work = Callable[[Adapter, Arguments], Message | None]
WORK: dict[str, Work] = {
    "setBreakpoints": points.by_lines,
    "setFunctionBreakpoints": points.by_functions,
    "setInstructionBreakpoints": points.by_instructions,
    "setDataBreakpoints": points.by_data,
    "dataBreakpointInfo": points.data_info,
    "readMemory": code.read,
    "writeMemory": code.write,
    "disassemble": code.disassemble,
    "stackTrace": looking.stack,
    "scopes": looking.scopes,
    "variables": looking.variables,
    "evaluate": looking.evaluate,
    "setVariable": looking.set_variable,
    "setExpression": looking.set_expression,
    "source": looking.source_text,
    "exceptionInfo": looking.exception_info,
}
CAPABILITIES = (
    "supportsConfigurationDoneRequest", "supportsFunctionBreakpoints",
    "supportsConditionalBreakpoints", "supportsHitConditionalBreakpoints", "supportsLogPoints",
    "supportsEvaluateForHovers", "supportsStepBack", "supportsSetVariable", "supportsSetExpression",
    "supportsExceptionInfoRequest", "supportsDataBreakpoints", "supportsReadMemoryRequest",
    "supportsWriteMemoryRequest", "supportsDisassembleRequest", "supportsInstructionBreakpoints",
    "supportsSteppingGranularity", "supportsTerminateRequest", "supportsValueFormattingOptions",
    "supportsRestartRequest",
)  # fmt: skip
_FAULTS = {"filter": "fault", "label": "Faults of kernels", "default": True}


def handle(adapter: Adapter, request: Message) -> None:
    """Answer one request."""
    command, arguments = request.get("command"), request.get("arguments") or {}
    if not isinstance(command, str) or not isinstance(arguments, dict):
        adapter.wire.refuse(request, "a request has a command, and arguments by name")
        return
    try:
        if command in MOVES:
            _move(adapter, request, arguments, MOVES[command])
        elif command in FLOW:
            FLOW[command](adapter, request, arguments)
        elif command in WORK:
            adapter.wire.answer(request, WORK[command](adapter, arguments))
        else:
            close = did_you_mean(command, [*WORK, *FLOW, *MOVES])
            why = f"there is no request '{command}'" + (f": {close}" if close else "")
            adapter.wire.refuse(request, why)
    except ZhisuanError as error:
        adapter.wire.refuse(request, one_line(error))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        adapter.wire.refuse(request, f"the arguments of '{command}' are not understood: "
                                     f"{type(error).__name__} {error}")  # fmt: skip


# -- the way through a session ----------------------------------------------------------------


def _initialize(adapter: Adapter, request: Message, arguments: Arguments) -> None:
    adapter.client.first_line = 1 if arguments.get("linesStartAt1", True) else 0
    body: Message = dict.fromkeys(CAPABILITIES, True)
    adapter.wire.answer(request, body | {"exceptionBreakpointFilters": [_FAULTS]})


def _launch(adapter: Adapter, request: Message, arguments: Arguments) -> None:
    if adapter.target is not None:
        raise ZhisuanError("something is being debugged already")
    adapter.client.stop_on_entry = bool(arguments.get("stopOnEntry", False))
    adapter.client.stop_at_end = bool(arguments.get("stopAtEnd", False))
    adapter.target = adapter.make(arguments)
    if adapter.target.program is not None:
        adapter.symbols = Symbols(adapter.target.program, adapter.target.folders)
    adapter.wire.answer(request)
    adapter.wire.event("initialized")


def _configured(adapter: Adapter, request: Message, _: Arguments) -> None:
    if adapter.target is None:
        raise ZhisuanError("nothing is being debugged yet", hint="launch")
    adapter.wire.answer(request)
    adapter.wire.event("process", name=f"zhisuan {__version__}", isLocalProcess=True,
                       startMethod="launch")  # fmt: skip
    adapter.is_configured = True


def _exceptions(adapter: Adapter, request: Message, arguments: Arguments) -> None:
    adapter.client.stop_at_faults = "fault" in arguments["filters"]
    adapter.wire.answer(request)


def _threads(adapter: Adapter, request: Message, _: Arguments) -> None:
    session = adapter.session
    if session is None:
        adapter.wire.answer(request, {"threads": [{"id": 1, "name": "host"}]})
        return
    tasks = session.tasks
    found = []
    for index in range(len(tasks)):
        phase = tasks.phases[index]
        state = "" if phase is Phase.READY else f", {phase.value}"
        name = f"{session.name_of(index)} (task {tasks.task(index).number}){state}"
        found.append({"id": adapter.thread_of(index), "name": name})
    adapter.wire.answer(request, {"threads": found})


def _pause(adapter: Adapter, request: Message, arguments: Arguments) -> None:
    """A launch that ran has been interrupted when this comes to be answered."""
    adapter.wire.answer(request)


def _restart(adapter: Adapter, request: Message, arguments: Arguments) -> None:
    """From the beginning of the launch."""
    session = adapter.running()
    adapter.wire.answer(request)
    session.go_to(0)
    if adapter.client.stop_on_entry:
        adapter.after(Stop(Reason.ENTRY, session.focus))
    else:
        adapter.after(session.go_on())


def _leave(adapter: Adapter, request: Message, _: Arguments) -> None:
    adapter.wire.answer(request)
    if request["command"] == "terminate":
        adapter.wire.event("terminated")
    raise Left


FLOW: dict[str, Callable[[Adapter, Message, Arguments], None]] = {
    "initialize": _initialize,
    "launch": _launch,
    "configurationDone": _configured,
    "setExceptionBreakpoints": _exceptions,
    "threads": _threads,
    "pause": _pause,
    "restart": _restart,
    "terminate": _leave,
    "disconnect": _leave,
}


# -- moves ------------------------------------------------------------------------------------


def _move(adapter: Adapter, request: Message, arguments: Arguments, move: Work) -> None:
    """Answer, then go, then tell of the stop."""
    session = adapter.running()
    if "threadId" in arguments:
        session.select(adapter.index_of(arguments["threadId"]))
    body = {"allThreadsContinued": True} if request["command"] == "continue" else None
    over = (Reason.END, Reason.FAULT)
    if session.last.reason in over and request["command"] == "continue":
        adapter.wire.answer(request, body)
        adapter.leave()
        return
    if request["command"] == "stepOut":
        session.check_caller()
    adapter.wire.answer(request, body)
    if request["command"] in ("reverseContinue", "stepBack"):
        adapter.wire.event("continued", threadId=adapter.thread_of(session.focus),
                           allThreadsContinued=True)  # fmt: skip
    adapter.references.clear()
    stop = move(adapter, arguments)
    assert isinstance(stop, Stop)
    adapter.after(stop)


def _step(over: bool) -> Callable[[Adapter, Arguments], Any]:
    def move(adapter: Adapter, arguments: Arguments) -> Stop:
        by_instruction = arguments.get("granularity") == "instruction"
        return adapter.running().step(over, by_instruction)

    return move


def _step_back(adapter: Adapter, arguments: Arguments) -> Any:
    by_instruction = arguments.get("granularity") == "instruction"
    return adapter.running().step_back(over=True, by_instruction=by_instruction)


MOVES: dict[str, Callable[[Adapter, Arguments], Any]] = {
    "continue": lambda adapter, _: adapter.running().go_on(),
    "next": _step(over=True),
    "stepIn": _step(over=False),
    "stepOut": lambda adapter, _: adapter.running().finish(),
    "stepBack": _step_back,
    "reverseContinue": lambda adapter, _: adapter.running().back(),
}
