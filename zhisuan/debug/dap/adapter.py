"""An adapter: the session of one client, from `initialize` to `disconnect`.

Comes in: a wire, who makes a target of the arguments of `launch`, and who answers requests.  Goes
out: answers and events.  Requests are answered one after the other; a launch that runs halts for
them and goes on.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug.breakpoints import Breakpoints
from zhisuan.debug.dap.references import References
from zhisuan.debug.dap.wire import Message, NoMessage, Wire
from zhisuan.debug.launch import Launch
from zhisuan.debug.session import Session
from zhisuan.debug.stop import Left, Reason, Stop
from zhisuan.debug.symbols import Symbols
from zhisuan.debug.target import Target
from zhisuan.debug.values import Value


@dataclass
class Client:
    """What the client said about itself, and asked for."""

    first_line: int = 1
    stop_on_entry: bool = False
    stop_at_end: bool = False
    stop_at_faults: bool = True
    lines: dict[str, list[int]] = field(default_factory=dict)
    """Numbers of breakpoints by source."""
    functions: list[int] = field(default_factory=list)
    instructions: list[int] = field(default_factory=list)
    data: list[tuple[str, bool, bool]] = field(default_factory=list)
    """Watched memory: its id, whether reads and writes count."""


class Adapter:
    def __init__(
        self, wire: Wire, make: Callable[[dict[str, Any]], Target],
        handle: Callable[[Adapter, Message], None], moves: Container[str],
        resolved: Callable[[Adapter], None],
    ) -> None:  # fmt: skip
        self.wire = wire
        self.make = make
        self._handle, self._moves, self._resolved = handle, moves, resolved
        self.flush: Callable[[], None] = lambda: None
        """Lets what the program has printed come out."""
        self.client = Client()
        self.breakpoints = Breakpoints()
        self.references = References()
        self.target: Target | None = None
        self.session: Session | None = None
        self.symbols: Symbols | None = None
        self.data: dict[str, tuple[int, str, Value]] = {}
        """Memory that can be watched: by its id, the task, the expression, what it means."""
        self.is_configured = False
        self._left = False  # the launch, for what comes after it
        self._requests: queue.Queue[Message | None] = queue.Queue()
        self._is_debugging = False

    # -- the whole ----------------------------------------------------------------------------

    def serve(self) -> int:
        """Answer requests until the client leaves; the status of what was debugged."""
        threading.Thread(target=self._read, daemon=True).start()
        try:
            while not self.is_configured:
                self._next()
            assert self.target is not None
            status = 0
            try:
                self.target.run(self.debug, self.ended)
            except ZhisuanError as error:
                self.output(str(error) + "\n", "stderr")
                status = 1
            self.ended(status)
            while True:
                self._next()
        except Left:
            return 0

    def ended(self, status: int) -> None:
        """What was debugged is over."""
        self.flush()
        self.wire.event("exited", exitCode=status)
        self.wire.event("terminated")

    def debug(self, launch: Launch) -> None:
        """Let the client look at a launch, until it goes on behind its end."""
        self.session = session = Session(launch, self.breakpoints, tell=self.output)
        session.motion.is_asked = lambda: not self._requests.empty()
        session.motion.attend = self.attend
        self.symbols = session.symbols
        self._left = False
        self._resolved(self)
        self._is_debugging = True
        if self.client.stop_on_entry and launch.number == 0:
            self.stopped(session.last)
        else:
            self.after(session.go_on())
        while not self._left:
            self._next()
        self._is_debugging = False
        session.raise_fault()

    def after(self, stop: Stop) -> None:
        """Tell of a stop; at its end leave the launch unless the client wants to stay."""
        self.references.clear()
        if stop.reason is Reason.END and not self.client.stop_at_end:
            self._left = True
            return
        if stop.reason is Reason.FAULT and not self.client.stop_at_faults:
            assert stop.error is not None
            raise stop.error
        self.stopped(stop)

    def leave(self) -> None:
        self._left = True

    # -- events -------------------------------------------------------------------------------

    def stopped(self, stop: Stop) -> None:
        assert self.session is not None
        reason = stop.reason.value
        if stop.reason is Reason.BREAKPOINT:
            number = stop.breakpoints[0]
            reason = ("function breakpoint" if number in self.client.functions else
                      "instruction breakpoint" if number in self.client.instructions else
                      "breakpoint")  # fmt: skip
        if stop.reason in (Reason.END, Reason.BEGINNING):
            reason = "pause"
        body: Message = {"reason": reason, "threadId": self.thread_of(stop.index),
                         "allThreadsStopped": True}  # fmt: skip
        if stop.text:
            body |= {"description": stop.text.partition("\n")[0], "text": stop.text}
        if stop.breakpoints:
            body["hitBreakpointIds"] = list(stop.breakpoints)
        self.wire.event("stopped", **body)

    def output(self, text: str, category: str = "stdout") -> None:
        self.wire.event("output", category=category, output=text)

    # -- requests -----------------------------------------------------------------------------

    def _read(self) -> None:
        """In a thread: requests in the order in which they come."""
        while True:
            try:
                message = self.wire.read()
            except NoMessage as error:
                self.output(f"a message was not understood: {error}\n", "stderr")
                continue
            except (OSError, ValueError):
                message = None
            command = message.get("command") if message is not None else None
            leaves = command in ("disconnect", "terminate", None)
            if leaves and self.is_configured and not self._is_debugging:
                self._leave_at_once(message)
            self._requests.put(message)
            if self.session is not None and self.session.is_running:
                self.session.interrupt()
            if message is None:
                return

    def attend(self) -> bool:
        """While a launch runs: answer what was asked; whether it goes on."""
        goes_on = True
        while not self._requests.empty():
            message = self._requests.get()
            if message is None:
                raise Left
            if message.get("type") == "request" and str(message.get("command")) in self._moves:
                self.wire.refuse(message, "the launch is running")
                continue
            goes_on = goes_on and message.get("command") != "pause"
            self._answer(message)
        return goes_on

    def _leave_at_once(self, message: Message | None) -> None:
        """The client leaves while the host program runs, or is over."""
        if message is not None:
            self.wire.answer(message)
        os._exit(0)

    def _next(self) -> None:
        message = self._requests.get()
        if message is None:
            raise Left
        self._answer(message)

    def _answer(self, message: Message) -> None:
        if message.get("type") == "request":
            self._handle(self, message)
        else:
            self.output("a message that is no request was not answered\n", "stderr")

    # -- numbers ------------------------------------------------------------------------------

    def running(self) -> Session:
        """The session; there is none before the first launch."""
        if self.session is None:
            raise ZhisuanError("no kernel was launched yet")
        return self.session

    def thread_of(self, index: int) -> int:
        """A core's number from 1 on."""
        return self.running().tasks.number_of_core(index) + 1

    def index_of(self, thread: Any) -> int:
        """The task on a core."""
        tasks = self.running().tasks
        for index in range(len(tasks)):
            if tasks.number_of_core(index) + 1 == thread:
                return index
        raise ZhisuanError(f"there is no thread {thread}")
