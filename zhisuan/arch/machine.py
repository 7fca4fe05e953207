"""The machine description: what a program cannot see but every cycle depends on.

All sizes are bytes, all rates per second or per cycle as named, all latencies cycles.  Cost
formulas of the instruction table call the methods here; they take ints or int64 arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zhisuan.base.errors import ZhisuanError


def ceil_div(a: Any, b: int) -> Any:
    return -(-a // b)


@dataclass(frozen=True)
class Dram:
    bytes_per_second: int
    size: int
    access_bytes: int  # smallest unit a request moves
    read_latency: int  # first byte after issue
    write_latency: int
    segment_cycles: int  # address generation per segment of a strided transfer


@dataclass(frozen=True)
class Channels:
    """How the DRAM is built: equal channels of banks of rows.  Without it DRAM is one ideal server.

    Consecutive pieces of `interleave_bytes` lie on consecutive channels, consecutive rows of a
    channel in consecutive banks.  A burst moves `Dram.access_bytes`.  Times are picoseconds.
    """

    count: int  # channels, which share `Dram.bytes_per_second`
    interleave_bytes: int
    turn_bytes: int  # of each channel, that a transfer moves before other cores have their turn
    banks: int  # of a channel
    row_bytes: int  # of a bank, over the width of the channel
    precharge_ps: int  # tRP: closing a row
    activate_ps: int  # tRCD: opening one
    row_cycle_ps: int  # tRC: from opening a row to opening another one of the bank
    activate_interval_ps: int  # between openings in different banks: tRRD, or tFAW / 4
    write_recovery_ps: int  # tWR: from the last byte written to closing the row
    read_to_write_ps: int  # that the data bus is idle when it turns
    write_to_read_ps: int
    write_batch: int  # bursts written before the bus turns, for reads that may have come
    refresh_ps: int  # tRFC: a refresh, every `refresh_interval_ps` (tREFI)
    refresh_interval_ps: int


@dataclass(frozen=True)
class Nram:
    size: int
    stack: int  # bytes at the top reserved for the scalar stack


@dataclass(frozen=True)
class Wram:
    size: int


@dataclass(frozen=True)
class Vector:
    bytes_per_cycle: int
    latency: int
    divide_passes: int  # passes over the lanes for one division or square root
    transcendental_passes: int


@dataclass(frozen=True)
class Matrix:
    """lanes: multiply-accumulates per element and cycle, 0 where the type is not supported.

    Of a systolic array the elements are its columns and the lanes its rows.
    """

    kind: str  # one of MATRIX_KINDS

    elements: int  # processing elements, one output channel each
    lanes_i4: int
    lanes_i8: int
    lanes_i16: int
    lanes_f16: int
    lanes_f32: int
    latency: int
    flatten: str  # what fills the lanes, see FLATTEN
    shift_cycles: int  # of a systolic array: shifting in a tile of weights behind the one in use


@dataclass(frozen=True)
class Move:
    bytes_per_cycle: int
    latency: int
    segment_cycles: int


@dataclass(frozen=True)
class Queues:
    compute: int  # entries
    io: int
    move: int
    window: int  # unfinished compute instructions the address interlock compares


@dataclass(frozen=True)
class Scalar:
    """Cycles a scalar instruction holds the decoder, by cost class of the table."""

    alu: int
    multiply: int
    divide: int
    convert: int
    transcendental: int
    load: int
    store: int
    branch: int
    sync: int


@dataclass(frozen=True)
class Launch:
    overhead: int  # cycles from the queue taking a launch to its first instruction


@dataclass(frozen=True)
class Chip:
    clusters: int
    cores_per_cluster: int


@dataclass(frozen=True)
class Sram:
    """Memory that the cores of a cluster share; size 0 where there is none."""

    size: int  # per cluster
    stack: int  # bytes at the top reserved for the memory core's stack
    bytes_per_cycle: int  # of a core's port
    latency: int


@dataclass(frozen=True)
class Noc:
    """The network between clusters."""

    topology: str  # one of TOPOLOGIES
    link_bytes_per_cycle: int  # each link, each way
    hop_latency: int
    controllers: int = 0  # of memory, spread evenly over the clusters; 0: DRAM is beside them all


@dataclass(frozen=True)
class Llc:
    """The last-level cache of all cores, before the DRAM: for scalar accesses and code."""

    size: int
    line_bytes: int
    ways: int
    latency: int  # of a load that hits


@dataclass(frozen=True)
class Tlb:
    """A core's translations of off-chip addresses, each of a page."""

    entries: int
    page_bytes: int
    miss_cycles: int  # to walk the tables


@dataclass(frozen=True)
class Icache:
    """A core's instruction cache."""

    size: int
    line_bytes: int
    ways: int
    refill_lines: int  # that come after a line that was missing


@dataclass(frozen=True)
class Sparsity:
    """How the matrix unit skips zero weights in CONV; values never depend on it."""

    skip: str  # one of SKIPS
    window: int  # neurons side by side that an element chooses from in a cycle
    index_bits: int  # beside each weight that is not zero: how many zeros come before it


@dataclass(frozen=True)
class Technology:
    """What energy and area need beside the sizes."""

    node_nm: int
    dram: str  # a kind of DRAM that the technology tables know
    static_microwatts_per_mm2: int  # leakage and clock tree, of the area that `area` gives


MATRIX_KINDS = ("adder tree", "systolic")
"""adder tree: an element multiplies vectors and adds each up, its bank gives weights every cycle;
systolic: rows × columns of scalar multipliers keep a tile of weights while neurons stream past."""
SKIPS = ("nothing", "weights")
TOPOLOGIES = ("ring", "mesh", "torus")
FLATTEN = ("taps", "channels")
"""taps: kernel positions and input channels together fill the lanes, padded once at the end;
channels: the input channels of each kernel position, padded at every position."""
ONE_CORE = Chip(clusters=1, cores_per_cluster=1)
NO_SRAM = Sram(size=0, stack=0, bytes_per_cycle=1, latency=0)
NO_SPARSITY = Sparsity(skip="nothing", window=1, index_bits=0)
NO_NOC = Noc(topology="ring", link_bytes_per_cycle=1, hop_latency=0)


@dataclass(frozen=True)
class Machine:
    """A chip of equal cores; NRAM, WRAM, units and queues are each core's.

    `sources` maps `section.key` to where its value is from.
    """

    name: str
    title: str
    clock_hz: int
    dram: Dram
    nram: Nram
    wram: Wram
    vector: Vector
    matrix: Matrix
    move: Move
    queues: Queues
    scalar: Scalar
    launch: Launch
    chip: Chip
    sram: Sram
    noc: Noc
    sparsity: Sparsity
    channels: Channels | None
    llc: Llc | None
    tlb: Tlb | None
    icache: Icache | None
    technology: Technology | None
    sources: dict[str, str]

    @property
    def nram_usable(self) -> int:
        """Bytes of NRAM a kernel may lay out: all but the stack."""
        return self.nram.size - self.nram.stack

    @property
    def cores(self) -> int:
        """Cores of the chip, memory cores aside."""
        return self.chip.clusters * self.chip.cores_per_cluster

    @property
    def dram_bytes_per_cycle(self) -> float:
        return self.dram.bytes_per_second / self.clock_hz

    def transfer_cycles(self, way: str, size: Any, segments: Any) -> Any:
        """Cycles a DMA engine is occupied moving `segments` pieces of `size` bytes.

        DRAM (`way` read or write): every segment is rounded up to the access unit (a written
        part of a unit is read first, one access more), then bytes over bandwidth, but not
        less than the address generation of the segments.  On chip: bytes over the move port
        (`none`), a core's port to SRAM (`sram`), that or a link (`noc`); same floor.
        """
        if way in ("read", "write"):
            busy = self.dram_cycles(way, size, segments)
            return np.maximum(np.maximum(busy, segments * self.dram.segment_cycles), 1)
        width = {
            "none": self.move.bytes_per_cycle,
            "sram": self.sram.bytes_per_cycle,
            "noc": min(self.sram.bytes_per_cycle, self.noc.link_bytes_per_cycle),
        }[way]
        busy = ceil_div(size, width) * segments
        return np.maximum(np.maximum(busy, segments * self.move.segment_cycles), 1)

    def dram_cycles(self, way: str, size: Any, segments: Any) -> Any:
        """Cycles the DRAM itself is busy with `segments` pieces of `size` bytes."""
        unit = self.dram.access_bytes
        accesses = ceil_div(size, unit)
        if way == "write":
            accesses = accesses + (size % unit != 0)
        moved = accesses * unit * segments
        return ceil_div(moved * self.clock_hz, self.dram.bytes_per_second)

    def vector_cycles(self, size: Any) -> Any:
        """Cycles of one pass of the vector unit over `size` bytes, at least one."""
        return np.maximum(ceil_div(size, self.vector.bytes_per_cycle), 1)

    def vector_passes(self, kind: str) -> int:
        """Passes an operation of this cost kind takes: `divide` or `transcendental`."""
        return {
            "divide": self.vector.divide_passes,
            "transcendental": self.vector.transcendental_passes,
        }[kind]

    def lanes(self, dtype: str) -> int:
        """Multiply-accumulates of `dtype` per processing element and cycle; never 0."""
        lanes = getattr(self.matrix, f"lanes_{dtype}", 0)
        if not lanes:
            kinds = [key[6:] for key in vars(self.matrix) if key.startswith("lanes_")]
            raise ZhisuanError(
                f"the matrix unit of {self.name} does not multiply {dtype}",
                expected=", ".join(kind for kind in kinds if getattr(self.matrix, f"lanes_{kind}")),
                found=dtype,
                hint=f"set matrix.lanes_{dtype} in the machine file" if dtype in kinds else "",
            )
        return lanes

    def matrix_cycles(
        self, dtype: str, pixels: Any, positions: Any, inputs: Any, outputs: Any
    ) -> Any:
        """Cycles of a convolution of `pixels` output pixels, at least one.

        Every pixel takes, per group of `elements` output channels, as many cycles as its
        kernel positions × input channels fill lanes, flattened as `matrix.flatten` says.  In a
        systolic array these steps are tiles of weights, each shifted in while the pixels
        stream past the one before.
        """
        tiles = self.matrix_tiles(dtype, positions, inputs, outputs)
        if self.matrix.kind == "adder tree":
            return np.maximum(pixels * tiles, 1)
        shift = self.matrix.shift_cycles
        cycles = shift + (tiles - 1) * np.maximum(pixels, shift) + pixels
        return np.maximum(np.where(tiles * pixels > 0, cycles, 1), 1)

    def matrix_tiles(self, dtype: str, positions: Any, inputs: Any, outputs: Any) -> Any:
        """Pieces of a filter that the matrix unit holds at once, lanes × elements weights."""
        lanes = self.lanes(dtype)
        if self.matrix.flatten == "taps":
            steps = ceil_div(positions * inputs, lanes)
        else:
            steps = positions * ceil_div(inputs, lanes)
        return steps * ceil_div(outputs, self.matrix.elements)

    @property
    def skips_weights(self) -> bool:
        return self.sparsity.skip == "weights"

    def skipping_cycles(
        self, dtype: str, pixels: Any, taps: Any, outputs: Any, banks: int, paced: Any
    ) -> Any:
        """Cycles of a convolution whose zero weights are skipped, at least one.

        `paced`: summed over the groups of `banks` channels, the weights other than zero of the
        group's slowest channel.  Every group begins with all its lanes, and an element
        chooses from `sparsity.window` neurons in a cycle.  Fewer elements than banks take a
        group in several passes at the same pace.
        """
        lanes, groups = self.lanes(dtype), ceil_div(outputs, banks)
        steps = (paced + groups * (lanes - 1)) // lanes
        steps = np.maximum(steps, groups * ceil_div(taps, self.sparsity.window))
        passes = ceil_div(np.minimum(outputs, banks), self.matrix.elements)
        return np.maximum(pixels * steps * passes, 1)

    def latency(self, key: str) -> int:
        """The value of a `section.key` latency, 0 for an empty key."""
        if not key:
            return 0
        section, name = key.split(".")
        return getattr(getattr(self, section), name)
