"""Sessions of an editor: every message is checked by the protocol's schema (`dap_client`)."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.debug.dap_client import Client
from tests.debug.debug_kernels import MEETING, SCALED

CORE_5 = 6
"""The thread of core 5."""


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as made:
        yield made


def line_of(text: str, source: str = SCALED) -> int:
    return next(n for n, line in enumerate(source.splitlines(), 1) if text in line)


@pytest.fixture
def scaled(tmp_path: Path) -> dict[str, Any]:
    """The launch of SCALED on eight cores of two clusters."""
    (tmp_path / "scaled.bcl").write_text(SCALED)
    np.save(tmp_path / "in.npy", np.arange(1024, dtype=np.float32))
    return {
        "program": str(tmp_path / "scaled.bcl"), "cwd": str(tmp_path), "machine": "mlu270",
        "arguments": {"out": "f32[1024]", "in": "in.npy", "n": 1024},
        "tasks": "8", "taskType": "UNION2",
    }  # fmt: skip


def test_core_5_steps_over_a_dma_and_back_and_shows_its_tile(
    client: Client, scaled: dict[str, Any]
) -> None:
    able = client.begin(**scaled)
    assert able["supportsStepBack"] and able["supportsReadMemoryRequest"]
    load = line_of("GDRAM2NRAM")
    (made,) = client.ask(
        "setBreakpoints", source={"path": scaled["program"]},
        breakpoints=[{"line": load, "condition": "taskId == 5 && i == 64"}],
    )["breakpoints"]  # fmt: skip
    assert made["verified"] and made["line"] == load
    client.ask("setExceptionBreakpoints", filters=["fault"])
    client.ask("configurationDone")

    stop = client.stop()
    assert (stop["reason"], stop["threadId"]) == ("breakpoint", CORE_5)
    assert stop["hitBreakpointIds"] == [made["id"]]
    threads = {one["id"]: one["name"] for one in client.ask("threads")["threads"]}
    assert threads[CORE_5] == "core 5 (task 5)" and len(threads) == 8

    frame = client.top(CORE_5)
    assert (frame["name"], frame["line"]) == ("work<float>", load)
    names = client.variables(frame["id"], "Locals")
    assert (names["from"]["value"], names["i"]["value"]) == ("640", "64")
    before = tile(client, frame["id"])
    assert list(before[:2]) == [640, 641]  # the first tile is still there

    client.move("next", CORE_5)
    frame = client.top(CORE_5)
    assert frame["line"] == load + 1
    assert np.array_equal(tile(client, frame["id"]), np.arange(704, 768, dtype=np.float32))

    stop = client.move("stepBack", CORE_5)
    assert (stop["reason"], stop["threadId"]) == ("step", CORE_5)
    frame = client.top(CORE_5)
    assert frame["line"] == load
    assert np.array_equal(tile(client, frame["id"]), before)


def tile(client: Client, frame: int) -> np.ndarray:
    """NRAM of `a`, read as bytes and, in pages, as variables: both must say the same."""
    array = client.variables(frame, "Locals")["a"]
    raw = client.ask("readMemory", memoryReference=array["memoryReference"], count=256)
    values = np.frombuffer(base64.b64decode(raw["data"]), np.float32)
    assert array["indexedVariables"] == 64 and array["type"] == "float[64]"
    page = client.ask("variables", variablesReference=array["variablesReference"],
                      filter="indexed", start=16, count=8)["variables"]  # fmt: skip
    assert [one["name"] for one in page] == [f"[{n}]" for n in range(16, 24)]
    assert [float(one["value"]) for one in page] == values[16:24].tolist()
    return values


def test_calls_are_entered_left_and_undone(client: Client, scaled: dict[str, Any]) -> None:
    client.begin(**scaled)
    client.ask("setFunctionBreakpoints", breakpoints=[{"name": "scaled"}])
    client.ask("configurationDone")
    stop = client.stop()
    assert (stop["reason"], stop["threadId"]) == ("function breakpoint", 1)
    frames = client.ask("stackTrace", threadId=1)["stackFrames"]
    assert [one["name"] for one in frames] == ["scaled<float, 3>", "work<float>"]
    assert client.variables(frames[1]["id"], "Locals")["each"]["value"] == "128"
    client.ask("setFunctionBreakpoints", breakpoints=[])
    client.move("stepOut", 1)
    assert client.top(1)["line"] == line_of("scaled<T, 3>")
    client.move("next", 1)
    client.move("stepBack", 1)
    assert client.top(1)["line"] == line_of("scaled<T, 3>")
    client.move("stepIn", 1)
    assert client.top(1)["name"] == "scaled<float, 3>"
    first = client.top(1)["instructionPointerReference"]
    client.move("next", 1, granularity="instruction")
    assert int(client.top(1)["instructionPointerReference"], 0) == int(first, 0) + 8
    client.move("stepBack", 1, granularity="instruction")
    assert client.top(1)["instructionPointerReference"] == first
    code = client.ask("disassemble", memoryReference=first, instructionOffset=-4,
                      instructionCount=8)["instructions"]  # fmt: skip
    assert [int(one["address"], 0) - int(first, 0) for one in code] == list(range(-32, 32, 8))


def test_watched_data_conditions_and_the_way_back(client: Client, scaled: dict[str, Any]) -> None:
    client.begin(**scaled | {"stopAtEnd": True, "stopOnEntry": True})
    client.ask("configurationDone")
    assert client.stop()["reason"] == "entry"
    frame = client.top(CORE_5)
    info = client.ask("dataBreakpointInfo", name="b[0]", frameId=frame["id"])
    assert info["dataId"]
    client.ask("setDataBreakpoints", breakpoints=[{"dataId": info["dataId"]}])
    stops = [client.move("continue", CORE_5) for _ in range(3)]
    assert {(one["reason"], one["threadId"]) for one in stops} == {("data breakpoint", CORE_5)}
    values = [one["text"].splitlines()[1:] for one in stops]
    assert values[0] == ["old value = 0", "new value = 1280"]
    assert values[1] == ["old value = 1280", "new value = 1921"]
    client.move("reverseContinue", CORE_5)
    frame = client.top(CORE_5)
    value = client.ask("evaluate", expression="b[0]", frameId=frame["id"], context="watch")
    assert value["result"] == "1921"
    client.ask("setDataBreakpoints", breakpoints=[])
    assert client.move("reverseContinue", CORE_5)["text"].startswith("nothing happened before")
    assert client.move("continue", CORE_5)["text"] == "the launch is over"


def test_variables_change_and_the_result_with_them(client: Client, scaled: dict[str, Any]) -> None:
    client.begin(**scaled | {"stopAtEnd": True})
    store = line_of("NRAM2GDRAM")
    client.ask("setBreakpoints", source={"path": scaled["program"]}, breakpoints=[{"line": store}])
    client.ask("configurationDone")
    client.stop()
    frame = client.top(1)
    array = client.variables(frame["id"], "Locals")["b"]
    changed = client.ask("setVariable", variablesReference=array["variablesReference"],
                         name="[3]", value="n / 2 + 0.5")  # fmt: skip
    assert changed["value"] == "512.5"
    client.ask("setBreakpoints", source={"path": scaled["program"]}, breakpoints=[])
    client.move("continue", 1)
    frame = client.top(1)
    out = client.ask("evaluate", expression="*out@5", frameId=frame["id"], context="repl")
    assert out["result"] == "{1, 2, 4, 512.5, 8}"


def test_a_fault_stops_where_it_is_and_the_way_back_is_open(client: Client, tmp_path: Path) -> None:
    source = """#include <bang.h>
__mlu_entry__ void far(int *out, int n) {
  __nram__ int a[32];
  for (int i = 0; i < n; ++i)
    a[i] = i;
  __memcpy(out, a - 64, 128, NRAM2GDRAM);
}
"""
    (tmp_path / "far.bcl").write_text(source)
    client.begin(program="far.bcl", cwd=str(tmp_path), arguments={"out": "i32[32]", "n": 4})
    client.ask("setExceptionBreakpoints", filters=["fault"])
    client.ask("configurationDone")
    stop = client.stop()
    assert stop["reason"] == "exception"
    info = client.ask("exceptionInfo", threadId=1)
    assert "address" in info["description"]
    assert client.top(1)["line"] == 6
    client.move("stepBack", 1)
    client.move("stepBack", 1)
    frame = client.top(1)
    assert frame["line"] == 4
    assert client.variables(frame["id"], "Locals")["i"]["value"] == "3"  # is not increased yet
    client.move("continue", 1)
    client.ask("continue", threadId=1)
    assert client.event("exited")["body"]["exitCode"] == 1
    client.event("terminated")
    client.ask("disconnect")


PROGRAM = """#include "cnrt.h"
#include <stdio.h>
%s
int main(int count, char **words) {
  int host[2] = {0, 0};
  void *out;
  cnrtDim3_t dim = {8, 1, 1};
  cnrtQueue_t queue;
  cnrtQueueCreate(&queue);
  cnrtMalloc(&out, sizeof host);
  meeting<<<dim, CNRT_FUNC_TYPE_UNION2, queue>>>((int *)out, 1);
  cnrtQueueSync(queue);
  cnrtMemcpy(host, out, sizeof host, CNRT_MEM_TRANS_DIR_DEV2HOST);
  printf("host %%s: %%d %%d\\n", words[1], host[0], host[1]);
  return 7;
}
"""


def test_a_whole_program_stops_in_its_kernel(client: Client, tmp_path: Path) -> None:
    source = PROGRAM % MEETING
    (tmp_path / "meeting.mlu").write_text(source)
    client.begin(program="meeting.mlu", cwd=str(tmp_path), args=["here"], machine="mlu270")
    line = line_of("out[clusterId] = total", source)
    (made,) = client.ask("setBreakpoints", source={"path": str(tmp_path / "meeting.mlu")},
                         breakpoints=[{"line": line}])["breakpoints"]  # fmt: skip
    assert not made["verified"]
    client.ask("configurationDone")
    changed = client.event("breakpoint")["body"]["breakpoint"]
    assert (changed["id"], changed["verified"]) == (made["id"], True)
    assert client.stop()["threadId"] == 1
    total = client.variables(client.top(1)["id"], "Locals")["total"]["value"]
    assert client.move("continue", 1)["threadId"] == 5
    client.ask("continue", threadId=5)
    texts = ""
    while (event := client.event("output", "exited"))["event"] == "output":
        texts += event["body"]["output"]
    assert "cluster 1 round 0" in texts and f"host here: {total} " in texts
    assert event["body"]["exitCode"] == 7


def test_what_is_wrong_is_refused_and_changes_nothing(
    client: Client, scaled: dict[str, Any]
) -> None:
    assert "there is no request" in client.refused("fly", valid=False)
    assert client.refused("launch", program="nowhere.bcl")
    assert "names no program" in client.refused("launch")
    client.begin(**scaled)
    client.send_raw(b"Content-Length: 5\r\n\r\n{{{{{")
    assert "not JSON" in client.event("output")["body"]["output"]
    client.send_raw(b"Content-Length: many\r\n\r\n")
    client.event("output")
    client.send_raw(b"Content-Length: 2\r\n\r\n[]")
    client.event("output")
    client.send_raw(b'Content-Length: 15\r\n\r\n{"seq": "none"}')
    client.event("output")
    assert "not understood" in client.refused("setBreakpoints", valid=False)
    assert "no kernel was launched" in client.refused("stackTrace", threadId=1)
    client.ask("setFunctionBreakpoints", breakpoints=[{"name": "nowhere"}, {"name": "work"}])
    client.ask("configurationDone")
    client.stop()
    assert "there is no thread" in client.refused("stackTrace", threadId=99)
    assert "there is no" in client.refused("variables", variablesReference=12345)
    frame = client.top(1)["id"]
    assert "there is no 'nothing' here" in client.refused("evaluate", expression="nothing",
                                                          frameId=frame)  # fmt: skip
    assert "not understood" in client.refused("evaluate", expression="1 +", frameId=frame)
    assert client.refused("readMemory", memoryReference="elsewhere", count=4)
    assert client.refused("disassemble", memoryReference="0x9000000", instructionCount=4)
    assert client.ask("evaluate", expression="n", frameId=frame)["result"] == "1024"


def test_a_launch_that_never_ends_is_paused(client: Client, tmp_path: Path) -> None:
    source = """#include <bang.h>
__mlu_entry__ void spin(int *out) {
  volatile int n = 0;
  while (n >= 0) n = (n + 1) & 1023;
  *out = n;
}
"""
    (tmp_path / "spin.bcl").write_text(source)
    client.begin(program="spin.bcl", cwd=str(tmp_path), arguments={"out": "i32[1]"})
    client.ask("configurationDone")
    client.ask("threads")
    source_of = {"path": str(tmp_path / "spin.bcl")}
    assert client.ask("setBreakpoints", source=source_of, breakpoints=[{"line": 5}])
    assert client.refused("next", threadId=1) == "the launch is running"
    time.sleep(0.3)
    client.ask("pause", threadId=1)
    assert client.stop()["reason"] == "pause"
    frame = client.top(1)
    assert frame["line"] == 4
    changed = client.ask("evaluate", expression="n = -2", frameId=frame["id"], context="repl")
    assert changed["result"] == "-2"
    client.ask("disconnect")
