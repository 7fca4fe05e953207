"""How large a chip is: square millimetres by part.

Comes in: a `Machine` with a [technology].  Goes out: areas by part, all cores together, which
add up to the chip.  Pads, DRAM interfaces and what is not described (host link, video) are not
counted; technology.toml says where each coefficient is from.
"""

from __future__ import annotations

from zhisuan.arch.check import MATRIX_TYPES
from zhisuan.arch.machine import Machine
from zhisuan.arch.technology import memory_area, tables, technology_of, unit_area

VECTOR_LANE_BYTES = 2
"""A lane of the vector unit is an FP16 multiplier-adder."""


def area(machine: Machine) -> dict[str, float]:
    """Square millimetres by part: matrix, vector, scalar, NRAM, WRAM, SRAM, overhead.

    The types of the matrix unit share their hardware: it is as large as its largest type.
    Overhead is registers, clock and filler, a share of the rest.
    """
    node = technology_of(machine, "area").node_nm
    lanes = machine.vector.bytes_per_cycle / VECTOR_LANE_BYTES
    matrix = max(
        machine.matrix.elements * getattr(machine.matrix, f"lanes_{kind}") * unit_area(kind, node)
        for kind in MATRIX_TYPES
    )
    parts = {
        "matrix": machine.cores * matrix,
        "vector": machine.cores * lanes * unit_area("f16", node),
        "scalar": machine.cores * unit_area("scalar", node),
        "NRAM": machine.cores * memory_area(machine.nram.size, node),
        "WRAM": machine.cores * memory_area(machine.wram.size, node),
        "SRAM": machine.chip.clusters * memory_area(machine.sram.size, node),
    }
    share = tables()["share"]["overhead"]["value"] / 100 - 1
    return parts | {"overhead": share * sum(parts.values())}
