"""A network gives the same bits, trace and cycles however the host simulates it: on one thread or
on eight, again, and without the vector extensions that this host has."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

RUN = """
import hashlib, sys
from zhisuan.arch.load import load
from zhisuan.frontend import photo
from zhisuan.graph.rewrite import optimize
from zhisuan.lower import lower
from zhisuan.models import style
from zhisuan.quantize import calibrate, quantize
from zhisuan.runtime.device import play
from zhisuan.sim.timing import replay

machine = load("mlu270")
picture = photo.load(photo.default_photo(), (52, 79), style.SMALLEST_SIDE)
inputs = {"image": photo.to_tensor(picture), "style_weights": style.style_vector(5)}
graph = optimize(style.load())
if sys.argv[1] == "INT8":
    graph = quantize(graph, calibrate(graph, [inputs])).graph
lowered = lower(graph, {"h": picture.height, "w": picture.width}, machine)
outputs, trace = play(lowered.plan, lowered.programs, lowered.constants, inputs, machine)
timing = replay(trace, machine)
for what in (*(value.tobytes() for value in outputs.values()), trace.to_bytes(),
             timing.core_cycles.tobytes(), timing.done.tobytes()):
    print(hashlib.sha256(what).hexdigest())
"""
HOSTS = {
    "one thread": {"ZHISUAN_THREADS": "1"},
    "eight threads": {"ZHISUAN_THREADS": "8"},
    "eight threads again": {"ZHISUAN_THREADS": "8"},
    "an old host": {"ZHISUAN_CPU_FEATURES": "-avx512f,-avx2,-fma,-f16c"},
}


def digests(precision: str, changes: dict[str, str]) -> str:
    """What a process of its own computes under these environment variables."""
    environment = {**os.environ, "ZHISUAN_CHECK": "none", **changes}
    done = subprocess.run([sys.executable, "-c", RUN, precision], env=environment,
                          capture_output=True, text=True, check=True)  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("precision", ["FP16", "INT8"])
def test_the_host_changes_nothing(precision: str) -> None:
    found = {host: digests(precision, changes) for host, changes in HOSTS.items()}
    first = found["one thread"]
    assert first.count("\n") >= 4
    assert all(one == first for one in found.values()), found
