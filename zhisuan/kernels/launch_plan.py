"""What a launch plan is: a kernel's arguments but its pointers, and the tasks it is launched as.

Kernels that need nothing shared run as single tasks, one a core, each of which takes every n-th
tile (BLOCK).  Kernels that share weights run on whole clusters (UNION1): the memory core of each
cluster brings them from DRAM and hands them to its cores.
"""

from __future__ import annotations

from dataclasses import dataclass

from zhisuan.arch.machine import Machine

Args = dict[str, int | float]


@dataclass(frozen=True)
class LaunchPlan:
    """`args` by parameter name; `tasks` and `task_type` as a launch takes them."""

    args: Args
    tasks: int = 1
    task_type: str = "BLOCK"


def on_cores(args: Args, pieces: int, machine: Machine) -> LaunchPlan:
    """As many single tasks as there are cores and pieces of work for them."""
    return LaunchPlan(args, max(1, min(machine.cores, pieces)))


def shares_weights(machine: Machine) -> bool:
    """Whether clusters have several cores and a memory that they share."""
    return machine.sram.size > 0 and machine.chip.cores_per_cluster > 1


def on_clusters(args: Args, clusters: int, machine: Machine) -> LaunchPlan:
    """All cores of the first `clusters` clusters, their memory cores too."""
    return LaunchPlan(args, clusters * machine.chip.cores_per_cluster, "UNION1")
