"""The run as a trace for Perfetto: a process per cluster, a thread per core and unit, counters.

Comes in: a `Profile`.  Goes out: bytes of a `.perfetto-trace` file (protobuf), which
ui.perfetto.dev and `trace_processor` open.  Slices are instructions at work and reasons for
waiting; arrows lead from where an instruction was decoded to where it was executed.  Times are
nanoseconds at the machine's clock.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as schema

from zhisuan.isa.disasm import format_instruction
from zhisuan.report.describe import describe
from zhisuan.report.intervals import Lane, lanes_of, thinned
from zhisuan.report.palette import UNIT_NAMES, cause
from zhisuan.report.profile.counters import Counter, counters
from zhisuan.report.profile.profile import Profile
from zhisuan.sim.tasks import MEMORY_CORE
from zhisuan.sim.trace import SCALAR_RUN

SEQUENCE = 1
"""All packets come from one writer, whose names are interned."""
LIMIT = 100_000
"""Intervals of a track that are shown one by one; of more, short ones that follow each other are
shown as one for each state."""
WORKS, WAITS, LAUNCHES = "works", "waits", "launches"
_NS = 1_000_000_000
Event = schema.TrackEvent
_CLEARED = schema.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
_NEEDS = schema.TracePacket.SEQ_NEEDS_INCREMENTAL_STATE


def perfetto_trace(profile: Profile) -> bytes:
    """The whole trace."""
    return _Writer(profile).write()


class _Names:
    """Interned strings of one kind: 1, 2, … in the order of first use."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        return self.known.setdefault(name, len(self.known) + 1)


class _Writer:
    def __init__(self, profile: Profile) -> None:
        self.profile, report = profile, profile.report
        self.trace, self.timing = report.trace, report.timing
        self.hz = report.machine.clock_hz
        self.packets: list[bytes] = []
        self.names, self.categories, self.keys, self.values = (_Names() for _ in range(4))
        self.tracks = 0
        texts, of_row = describe(self.trace)
        self.texts, self.text_of_row = texts, np.append(of_row, -1)
        self.instructions = _instructions(profile)
        self.moved = profile.moved.asked

    def write(self) -> bytes:
        self._launches()
        for counter in counters(self.profile):
            self._counter(counter)
        clusters: dict[int, int] = {}
        for place in self.profile.active.tolist():
            cluster, core = self.timing.cores[place]
            process = clusters.get(cluster)
            if process is None:
                process = clusters[cluster] = cluster + 2
                self._process(process, f"cluster {cluster}")
            self._core(place, process, core)
        return self._interned() + b"".join(self.packets)

    # -- packets

    def _packet(self, packet: schema.TracePacket) -> None:
        packet.trusted_packet_sequence_id = SEQUENCE
        packet.sequence_flags = _NEEDS
        self.packets.append(schema.Trace(packet=[packet]).SerializeToString())

    def _interned(self) -> bytes:
        packet = schema.TracePacket(trusted_packet_sequence_id=SEQUENCE, sequence_flags=_CLEARED)
        packet.first_packet_on_sequence = True
        data = packet.interned_data
        for name, iid in self.names.known.items():
            data.event_names.add(iid=iid, name=name)
        for name, iid in self.categories.known.items():
            data.event_categories.add(iid=iid, name=name)
        for name, iid in self.keys.known.items():
            data.debug_annotation_names.add(iid=iid, name=name)
        for name, iid in self.values.known.items():
            data.debug_annotation_string_values.add(iid=iid, str=name.encode())
        return schema.Trace(packet=[packet]).SerializeToString()

    def _nanoseconds(self, cycles: int) -> int:
        return cycles * _NS // self.hz

    # -- tracks

    def _track(self) -> int:
        self.tracks += 1
        return self.tracks

    def _process(self, number: int, name: str) -> None:
        packet = schema.TracePacket()
        packet.track_descriptor.uuid = self._track()
        packet.track_descriptor.process.pid = number
        packet.track_descriptor.process.process_name = name
        self._packet(packet)

    def _thread(self, process: int, number: int, name: str) -> int:
        packet = schema.TracePacket()
        track = packet.track_descriptor.uuid = self._track()
        thread = packet.track_descriptor.thread
        thread.pid, thread.tid, thread.thread_name = process, number, name
        self._packet(packet)
        return track

    def _counter(self, counter: Counter) -> None:
        packet = schema.TracePacket()
        track = packet.track_descriptor.uuid = self._track()
        packet.track_descriptor.name = counter.name
        packet.track_descriptor.counter.unit_name = counter.unit
        self._packet(packet)
        for cycle, value in zip(counter.cycles.tolist(), counter.values.tolist(), strict=True):
            packet = schema.TracePacket(timestamp=self._nanoseconds(cycle))
            packet.track_event.type = Event.TYPE_COUNTER
            packet.track_event.track_uuid = track
            packet.track_event.double_counter_value = value
            self._packet(packet)

    # -- slices

    def _slice(self, track: int, begin: int, end: int, name: str, category: str) -> Event:
        """Enter a slice; the event of its beginning, to which more may be added until the next
        call."""
        packet = schema.TracePacket(timestamp=self._nanoseconds(begin))
        event = packet.track_event
        event.type, event.track_uuid = Event.TYPE_SLICE_BEGIN, track
        event.name_iid = self.names(name)
        event.category_iids.append(self.categories(category))
        self._end = track, end
        self._begun = packet
        return event

    def _finish(self) -> None:
        """The slice that `_slice` began is complete."""
        self._packet(self._begun)
        track, end = self._end
        packet = schema.TracePacket(timestamp=self._nanoseconds(end))
        packet.track_event.type = Event.TYPE_SLICE_END
        packet.track_event.track_uuid = track
        self._packet(packet)

    def _say(self, event: Event, key: str, value: str | int) -> None:
        note = event.debug_annotations.add(name_iid=self.keys(key))
        if isinstance(value, int):
            note.int_value = value
        else:
            note.string_value_iid = self.values(value)

    def _launches(self) -> None:
        self._process(1, self.profile.report.title)
        track = self._thread(1, 1, "launches")
        timing = self.timing
        for number, launch in enumerate(self.trace.launches):
            begin, end = int(timing.launch_start[number]), int(timing.launch_end[number])
            event = self._slice(track, begin, end, launch.label, LAUNCHES)
            self._say(event, "kernel", launch.kernel)
            self._say(event, "tasks", "×".join(map(str, launch.dims)))
            self._finish()

    def _core(self, place: int, process: int, core: int) -> None:
        name = "memory core" if core == MEMORY_CORE else f"core {core}"
        for number, whole in enumerate(lanes_of(self.trace, self.timing, place)):
            lane = thinned(whole, LIMIT, len(self.timing.causes))
            if core == MEMORY_CORE and lane.unit in ("vfu", "mfu"):
                continue
            tid = 16 + place * 8 + number
            track = self._thread(process, tid, f"{name} · {UNIT_NAMES[lane.unit]}")
            self._lane(track, lane)

    def _lane(self, track: int, lane: Lane) -> None:
        for begin, end, state, row, merged in _intervals(lane):
            if state:
                cause_name = cause(self.timing.causes[state]).name
                if self.timing.causes[state] == "idle":
                    continue
                event = self._slice(track, begin, end, cause_name, WAITS)
                if row >= 0:
                    self._say(event, "before", self.instructions[row])
            else:
                event = self._slice(track, begin, end, self._title(lane, row), WORKS)
                self._details(event, lane, row)
            if row >= 0:
                self._say(event, "line", self._where(row))
            if merged > 1:
                self._say(event, "intervals shown as one", merged)
            self._finish()

    def _title(self, lane: Lane, row: int) -> str:
        text = self.texts[self.text_of_row[row]]
        decodes = lane.unit == "scalar" and self.trace.opcode[row] != SCALAR_RUN
        return f"decodes {text}" if decodes else text

    def _details(self, event: Event, lane: Lane, row: int) -> None:
        self._say(event, "instruction", self.instructions[row])
        if self.moved[row]:
            self._say(event, "bytes", int(self.moved[row]))
        if self.timing.queued[row] < 0:
            return
        if lane.unit == "scalar":
            event.flow_ids.append(row + 1)
        else:
            event.terminating_flow_ids.append(row + 1)
            waited = int(self.timing.start[row] - self.timing.queued[row])
            self._say(event, "cycles in the queue", waited)

    def _where(self, row: int) -> str:
        line = int(self.profile.line_of_row[row])
        return self.profile.table.lines[line].where if line >= 0 else "unknown"


def _intervals(lane: Lane) -> Iterator[tuple[int, int, int, int, int]]:
    """Begin, end, state, row, and how many intervals it stands for."""
    edges = lane.edges
    columns = edges[:-1], edges[1:], lane.state, lane.row, lane.merged
    return zip(*(column.tolist() for column in columns), strict=True)


def _instructions(profile: Profile) -> list[str]:
    """The assembly of each trace row; of a scalar run, its first instruction."""
    trace, programs = profile.report.trace, profile.report.programs
    known: dict[tuple[str, int], str] = {}
    found = []
    for launch, pc in zip(trace.launch.tolist(), trace.pc.tolist(), strict=True):
        name = trace.launches[launch].program
        text = known.get((name, pc))
        if text is None:
            program = programs.get(name)
            text = format_instruction(int(program.words[pc]), pc) if program else f"{name}+{pc}"
            known[name, pc] = text
        found.append(text)
    return found
