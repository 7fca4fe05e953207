"""Queues side by side: when launches take place on the card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zhisuan.arch.load import load
from zhisuan.bcl import host
from zhisuan.runtime.host_run import run
from zhisuan.runtime.kernel_module import KernelModule
from zhisuan.runtime.timeline import Timeline, clusters_of

QUARTER = ((4, 1, 1), "UNION1")  # one of the four clusters of mlu270
HALF = ((8, 1, 1), "UNION2")
WHOLE = ((16, 1, 1), "BLOCK")


@pytest.fixture
def timeline() -> Timeline:
    return Timeline(load("mlu270"))


def test_queues_overlap_where_clusters_are_free(timeline: Timeline) -> None:
    for queue in (1, 2, 3):
        timeline.launch(queue, *HALF)
    timeline.launch(1, *WHOLE)
    times = timeline.times([100, 70, 50, 10])
    assert times.start == (0, 0, 70, 120)  # the third waits for room, the fourth for all of it
    assert times.end == (100, 70, 120, 130)


def test_a_queue_works_in_order(timeline: Timeline) -> None:
    timeline.launch(1, *QUARTER)
    timeline.launch(1, *QUARTER)
    assert timeline.times([30, 40]).start == (0, 30)


def test_a_queue_waits_for_another(timeline: Timeline) -> None:
    timeline.launch(1, *QUARTER)
    reached = timeline.mark(1)
    timeline.launch(1, *QUARTER)
    timeline.launch(2, *QUARTER)
    timeline.wait(reached, 2)
    timeline.launch(2, *QUARTER)
    times = timeline.times([30, 40, 5, 6])
    assert times.start == (0, 30, 0, 30)
    assert times.marks == (30,)


def test_what_comes_after_the_host_has_waited_is_later(timeline: Timeline) -> None:
    timeline.launch(1, *QUARTER)
    timeline.wait(timeline.mark(1))
    timeline.launch(2, *QUARTER)
    assert timeline.times([30, 40]).start == (0, 30)


@pytest.mark.parametrize(
    ("dims", "kind", "clusters"),
    [((1, 1, 1), "BLOCK", 1), ((5, 1, 1), "BLOCK", 2), ((99, 9, 1), "BLOCK", 4),
     ((4, 1, 1), "UNION1", 1), ((12, 1, 1), "UNION1", 3), ((8, 2, 1), "UNION2", 4),
     ((16, 3, 1), "UNION4", 4)],
)  # fmt: skip
def test_clusters_that_a_launch_needs(dims, kind: str, clusters: int) -> None:
    assert clusters_of(load("mlu270"), dims, kind) == clusters


KERNEL = """
__mlu_entry__ void work(int *p, int n) {
  int x = 1;
  for (int i = 0; i < n; i++) x = x * 5 + 1;
  p[taskId] = x;
}
"""


def test_queues_of_python() -> None:
    module = KernelModule(KERNEL, machine="mlu270", checks=())
    first, second = module.queue(), module.queue()
    held = [module.to_device(np.zeros(4, np.int32)) for _ in range(2)]
    module.work[4, "UNION1", first](held[0], 1000)
    module.work[4, "UNION1", second](held[1], 1000)
    second.wait_for(first)
    module.work[4, "UNION1", second](held[1], 10)
    assert first.spans[0][0] == second.spans[0][0] == 0
    assert second.spans[1][0] == max(first.spans[0][1], second.spans[0][1])
    held[1].get()  # the host waits
    module.work[4, "UNION1", first](held[0], 10)
    assert first.spans[1][0] == second.spans[1][1]


HOST = """#include <cnrt.h>
#include <stdio.h>
int main() {
  cnrtQueue_t a, b;
  cnrtNotifier_t start, alone, both, behind;
  int *p, *q;
  cnrtMalloc(&p, 16), cnrtMalloc(&q, 16);
  cnrtQueueCreate(&a), cnrtQueueCreate(&b);
  cnrtNotifier_t *all[] = {&start, &alone, &both, &behind};
  for (int i = 0; i < 4; i++) cnrtNotifierCreate(all[i]);
  cnrtDim3_t dim = {4, 1, 1};
  cnrtPlaceNotifier(start, a);
  work<<<dim, cnrtFuncTypeUnion1, a>>>(p, 1000);
  cnrtPlaceNotifier(alone, a);
  work<<<dim, cnrtFuncTypeUnion1, b>>>(q, 1000);
  cnrtPlaceNotifier(both, b);
  cnrtQueueWaitNotifier(alone, b, 0);
  work<<<dim, cnrtFuncTypeUnion1, b>>>(q, 1000);
  cnrtPlaceNotifier(behind, b);
  cnrtSyncDevice();
  float one, two, three;
  cnrtNotifierDuration(start, alone, &one);
  cnrtNotifierDuration(start, both, &two);
  cnrtNotifierDuration(start, behind, &three);
  printf("%s, %s\\n", two < 1.1f * one ? "side by side" : "one after the other",
         three > 1.9f * one ? "then behind" : "at once");
}
"""


def test_notifiers_of_two_queues(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.mlu").write_text(KERNEL + HOST)
    assert run(host.build([tmp_path / "m.mlu"]), [], "mlu270", checks=()).status == 0
    assert capfd.readouterr().out == "side by side, then behind\n"
