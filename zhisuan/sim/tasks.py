"""The tasks of a launch: which core each runs on, and what its special registers say.

Comes in: a machine, the dimensions and the type of a launch.  Goes out: jobs, groups of tasks
that are on the chip together.  Placing depends on nothing but the launch, so it never depends
on time: task t of type BLOCK runs on core t modulo the cores of the chip; job j of type UNIONk on
the k clusters from (j modulo the groups of k clusters) · k.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError, did_you_mean

MEMORY_CORE = 0x80
"""coreId of a cluster's memory core."""
TASK_TYPES = {"BLOCK": 0, "UNION1": 1, "UNION2": 2, "UNION4": 4, "UNION8": 8}
"""Clusters that a job of this type needs at once; BLOCK needs a single core."""
MOST_TASKS = 1 << 20
INSTRUCTIONS = 12
"""The special register that counts executed instructions."""
CORE_ID = 10
JOB = 13

Dims = tuple[int, int, int]
ONE_TASK: Dims = (1, 1, 1)


@dataclass(frozen=True)
class Task:
    """A task on its core: `cluster` and `core` of the chip, special registers by index.

    `special[INSTRUCTIONS]` is 0: the core counts.  `number` is its taskId; that of a memory core
    is the first of its cluster's.
    """

    number: int
    cluster: int
    core: int
    special: tuple[int, ...]

    @property
    def is_memory_core(self) -> bool:
        return self.core == MEMORY_CORE

    @property
    def place(self) -> str:
        core = "memory core" if self.is_memory_core else f"core {self.core}"
        return f"task {self.number} on cluster {self.cluster} {core}"


@dataclass(frozen=True)
class Job:
    """Tasks that run together; `clusters` are those of the chip, in the order of clusterId."""

    tasks: tuple[Task, ...]
    clusters: tuple[int, ...]
    shared: bool  # whether its tasks have the clusters' SRAM

    def cores(self, cluster: int) -> list[int]:
        """The compute cores of a cluster that multicast reaches."""
        here = (task.core for task in self.tasks if task.cluster == cluster)
        return [core for core in here if core != MEMORY_CORE and self.shared]


ALONE = Task(0, 0, 0, (0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0))
ALONE_JOB = Job((ALONE,), (0,), True)
"""The only task of its cluster."""


def has_memory_cores(machine: Machine) -> bool:
    """A memory core owns a cluster's SRAM; without SRAM there is none."""
    return machine.sram.size > 0


def jobs_of(machine: Machine, dims: Dims, task_type: str, memory_cores: bool) -> Iterator[Job]:
    """The jobs of a launch in order; `memory_cores`: whether those take part."""
    check(machine, dims, task_type)
    size_x, size_y, size_z = dims
    width = TASK_TYPES[task_type]
    per_cluster = machine.chip.cores_per_cluster
    step = max(width * per_cluster, 1)
    starts = product(range(size_z), range(size_y), range(0, size_x, step))
    for number, (z, y, x) in enumerate(starts):
        first = (z * size_y + y) * size_x + x
        if not width:
            cluster, core = divmod(number % machine.cores, per_cluster)
            special = (first, x, y, z, *_sizes(dims), 0, 1, 0, 1, 0, number, 0, 0)
            yield Job((Task(first, cluster, core, special),), (cluster,), False)
        else:
            yield _union(machine, dims, number, (first, x, y, z), width, memory_cores)


def waves(jobs: Iterable[Job]) -> Iterator[list[Job]]:
    """Consecutive jobs that have different cores, and so can run at the same time."""
    wave: list[Job] = []
    taken: set[tuple[int, int]] = set()
    for job in jobs:
        places = {(task.cluster, task.core) for task in job.tasks}
        if places & taken:
            yield wave
            wave, taken = [], set()
        wave.append(job)
        taken |= places
    if wave:
        yield wave


def _union(
    machine: Machine, dims: Dims, number: int, at: tuple[int, int, int, int], width: int,
    memory_cores: bool,
) -> Job:  # fmt: skip
    """Job `number`, whose first task is `at`: taskId, X, Y, Z."""
    first, x, y, z = at
    base = number % (machine.chip.clusters // width) * width
    per_cluster = machine.chip.cores_per_cluster
    tail = (per_cluster, 0, number, int(memory_cores))
    cores = [(core, core) for core in range(per_cluster)]
    if memory_cores:
        cores.append((MEMORY_CORE, 0))
    tasks = []
    for cluster, (core, offset) in product(range(width), cores):
        offset += cluster * per_cluster
        head = (first + offset, x + offset, y, z, *_sizes(dims), cluster, width, core)
        special = (*head, *tail, int(core == MEMORY_CORE))
        tasks.append(Task(first + offset, base + cluster, core, special))
    return Job(tuple(tasks), tuple(range(base, base + width)), machine.sram.size > 0)


def _sizes(dims: Dims) -> tuple[int, int, int, int]:
    x, y, z = dims
    return x * y * z, x, y, z


def check(machine: Machine, dims: Dims, task_type: str) -> None:
    """Refuse a launch that the machine cannot place."""
    if task_type not in TASK_TYPES:
        raise ZhisuanError("no such task type", expected=", ".join(TASK_TYPES), found=task_type,
                           hint=did_you_mean(task_type, TASK_TYPES))  # fmt: skip
    total = dims[0] * dims[1] * dims[2]
    if min(dims) < 1 or total > MOST_TASKS:
        raise ZhisuanError("these task dimensions make no launch",
                           expected=f"three positive numbers, {MOST_TASKS} tasks at most",
                           found=_text(dims))  # fmt: skip
    width = TASK_TYPES[task_type]
    if width > machine.chip.clusters:
        raise ZhisuanError(
            f"{task_type} needs {width} clusters at once",
            where=f"machine '{machine.name}'",
            expected=f"at most {machine.chip.clusters}",
            hint="launch fewer clusters at once, or choose a larger machine",
        )
    cores = width * machine.chip.cores_per_cluster
    if width and dims[0] % cores:
        raise ZhisuanError(
            f"{task_type} launches whole clusters of {machine.chip.cores_per_cluster} cores",
            expected=f"a first dimension that is a multiple of {cores}",
            found=_text(dims),
        )


def _text(dims: Dims) -> str:
    return " × ".join(map(str, dims))
