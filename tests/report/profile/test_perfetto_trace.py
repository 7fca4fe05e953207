"""The Perfetto trace, read back with Perfetto's own schema as its reader does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as schema

from zhisuan.report.profile.perfetto import perfetto_trace
from zhisuan.report.profile.profile import Profile

KERNEL = """
__nram__ float a[2048];
__nram__ float b[1024];
__mlu_entry__ void k(float *out, float *in, int n) {
  for (int i = 0; i < n; i++) {
    __memcpy_async(a + (i % 2) * 1024, in + i * 1024, 4096, GDRAM2NRAM);
    __sync();
    __bang_active_exp(b, a + (i % 2) * 1024, 1024);
    __memcpy(out + i * 1024, b, 4096, NRAM2GDRAM);
  }
}
"""
ARGUMENTS = {"out": "f32[8192]", "in": "f32[8192]", "n": "8"}
Event = schema.TrackEvent


@dataclass
class Slice:
    begin: int
    end: int
    name: str
    category: str
    args: dict[str, Any]
    flows: tuple[list[int], list[int]]


@dataclass
class Read:
    """Tracks by name, as a reader of the format finds them."""

    processes: dict[int, str] = field(default_factory=dict)
    slices: dict[str, list[Slice]] = field(default_factory=dict)
    counters: dict[str, list[tuple[int, float]]] = field(default_factory=dict)


def interned(data: Any) -> dict[str, dict[int, str]]:
    return {
        "names": {entry.iid: entry.name for entry in data.event_names},
        "categories": {entry.iid: entry.name for entry in data.event_categories},
        "keys": {entry.iid: entry.name for entry in data.debug_annotation_names},
        "values": {e.iid: e.str.decode() for e in data.debug_annotation_string_values},
    }


def read(raw: bytes) -> Read:
    trace = schema.Trace.FromString(raw)
    assert trace.SerializeToString() == raw  # no field that the schema does not know
    first, *packets = trace.packet
    assert first.sequence_flags == schema.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
    known, result, tracks, open_slices = interned(first.interned_data), Read(), {}, {}
    for packet in packets:
        assert packet.trusted_packet_sequence_id == first.trusted_packet_sequence_id
        assert packet.sequence_flags == schema.TracePacket.SEQ_NEEDS_INCREMENTAL_STATE
        if packet.HasField("track_descriptor"):
            enter(result, tracks, packet.track_descriptor)
            continue
        event = packet.track_event
        name = tracks[event.track_uuid]
        if event.type == Event.TYPE_COUNTER:
            result.counters[name].append((packet.timestamp, event.double_counter_value))
        elif event.type == Event.TYPE_SLICE_BEGIN:
            assert name not in open_slices
            (category,) = event.category_iids
            args = {
                known["keys"][n.name_iid]: known["values"][n.string_value_iid]
                if n.HasField("string_value_iid")
                else n.int_value
                for n in event.debug_annotations
            }
            open_slices[name] = Slice(
                packet.timestamp, -1, known["names"][event.name_iid],
                known["categories"][category], args,
                (list(event.flow_ids), list(event.terminating_flow_ids)),
            )  # fmt: skip
        else:
            assert event.type == Event.TYPE_SLICE_END
            entry = open_slices.pop(name)
            entry.end = packet.timestamp
            result.slices[name].append(entry)
    assert not open_slices
    return result


def enter(result: Read, tracks: dict[int, str], track: Any) -> None:
    assert track.uuid not in tracks and track.uuid
    if track.HasField("process"):
        tracks[track.uuid] = result.processes[track.process.pid] = track.process.process_name
    elif track.HasField("thread"):
        process = result.processes[track.thread.pid]
        tracks[track.uuid] = name = f"{process}/{track.thread.thread_name}"
        assert name not in result.slices
        result.slices[name] = []
    else:
        assert track.HasField("counter")
        tracks[track.uuid] = track.name
        result.counters[track.name] = []


@pytest.fixture(scope="module")
def found(profile_of: Callable[..., Profile]) -> Profile:
    return profile_of(KERNEL, **ARGUMENTS)


@pytest.fixture(scope="module")
def trace(found: Profile) -> Read:
    return read(perfetto_trace(found))


def test_a_thread_for_each_unit(trace: Read) -> None:
    assert list(trace.processes.values()) == ["k of k", "cluster 0"]
    names = ("scalar", "vector", "matrix", "IO-DMA", "Move-DMA")
    assert list(trace.slices) == [
        "k of k/launches",
        *(f"cluster 0/core 0 · {name}" for name in names),
    ]


def test_slices_are_the_cycles_of_the_units(trace: Read, found: Profile) -> None:
    timing = found.report.timing
    nanoseconds = 1e9 / found.report.machine.clock_hz
    for number, entries in enumerate(list(trace.slices.values())[1:]):
        ends = [0, *(entry.end for entry in entries)]
        assert all(s.begin >= e and s.end > s.begin for s, e in zip(entries, ends, strict=False))
        works = sum(entry.end - entry.begin for entry in entries if entry.category == "works")
        busy = timing.cycles[0, number, timing.causes.index("busy")]
        assert works == pytest.approx(busy * nanoseconds)
    (launch,) = trace.slices["k of k/launches"]
    assert (launch.begin, launch.end) == (0, found.total * nanoseconds)
    assert launch.args == {"kernel": "k", "tasks": "1×1×1"}


def test_a_slice_says_what_it_is(trace: Read) -> None:
    loads = [
        entry
        for entry in trace.slices["cluster 0/core 0 · IO-DMA"]
        if entry.category == "works" and entry.name.startswith("VLOAD")
    ]
    assert len(loads) == 8
    for entry in loads:
        assert entry.args["line"] == "k.bcl:7"
        assert entry.args["bytes"] == 4096
        assert entry.args["instruction"].startswith("VLOAD ")
        assert entry.args["cycles in the queue"] >= 0
    waits = [e for e in trace.slices["cluster 0/core 0 · scalar"] if e.category == "waits"]
    assert {"sync", "launch"} <= {entry.name for entry in waits}


def test_arrows_lead_from_decoding_to_the_unit(trace: Read) -> None:
    begun, ended = {}, {}
    for name, entries in trace.slices.items():
        for entry in entries:
            for flow in entry.flows[0]:
                assert "scalar" in name and entry.name.startswith("decodes ")
                begun[flow] = entry
            for flow in entry.flows[1]:
                assert "scalar" not in name
                ended[flow] = entry
    assert begun.keys() == ended.keys()
    assert len(begun) == 8 * 3
    assert all(begun[flow].end <= ended[flow].begin for flow in begun)


def test_counters(trace: Read, found: Profile) -> None:
    assert list(trace.counters) == [
        "DRAM read",
        "DRAM written",
        "cluster 0 core 0: vector and matrix queue",
        "cluster 0 core 0: IO-DMA queue",
        "cluster 0 core 0: NRAM held",
    ]
    for name, moved in (("DRAM read", 8 * 4096), ("DRAM written", 8 * 4096)):
        points = trace.counters[name]
        total = sum(v * (b[0] - a) for (a, v), b in pairwise(points))
        assert total == pytest.approx(moved, rel=0.01)  # GB/s · ns
    held = trace.counters["cluster 0 core 0: NRAM held"]
    assert max(value for _, value in held) == 2 * 4096 == found.memories.of(0, 0).most
    assert held[-1][1] == 0
    for name, points in list(trace.counters.items())[2:4]:
        assert min(value for _, value in points) == 0, name
        assert points[-1][1] == 0
        assert found.report.machine.queues.io >= max(v for _, v in points)
    assert max(v for _, v in trace.counters["cluster 0 core 0: IO-DMA queue"]) == 1


def test_times_follow_the_clock(profile_of: Callable[..., Profile], trace: Read) -> None:
    from dataclasses import replace

    slow = profile_of(KERNEL, **ARGUMENTS)
    machine = replace(slow.report.machine, clock_hz=slow.report.machine.clock_hz // 2)
    other = replace(slow, report=replace(slow.report, machine=machine))
    (launch,) = read(perfetto_trace(other)).slices["k of k/launches"]
    assert launch.end == 2 * trace.slices["k of k/launches"][0].end
