"""The style network passes all checks, and a faulty kernel in it does not."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from zhisuan.arch.load import load
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.rewrite import optimize
from zhisuan.isa.program import Program
from zhisuan.isa.table import BY_NAME
from zhisuan.lower import Lowered, lower
from zhisuan.models import style
from zhisuan.runtime.device import play
from zhisuan.sim.checks.run import CHECKS

HEIGHT, WIDTH = 44, 60


@cache
def network() -> Lowered:
    return lower(optimize(style.load()), {"h": HEIGHT, "w": WIDTH}, load("dlp-s"))


def checked(programs: dict[str, Program]) -> None:
    lowered = network()
    picture = np.random.default_rng(0).random((1, 3, HEIGHT, WIDTH)).astype(np.float32)
    feeds = {"image": 255 * picture, "style_weights": style.style_vector(3)}
    play(lowered.plan, programs, lowered.constants, feeds, load("dlp-s"), checks=CHECKS)


def test_style_network_is_clean() -> None:
    checked(dict(network().programs))


def test_a_kernel_without_its_syncs_is_found_in_the_network() -> None:
    right = network().programs["instance_norm"]
    words = right.words.copy()
    syncs = (words & np.uint64((1 << 10) - 1)) == BY_NAME["SYNC"].opcode
    words[syncs] &= np.uint64((1 << 16) - 1)  # they wait for nothing
    faulty = {**network().programs, "instance_norm": replace(right, words=words)}
    with pytest.raises(ZhisuanError, match=r"^error: racecheck") as caught:
        checked(faulty)
    assert "instance_norm.bcl:" in str(caught.value)
    assert "conv2d.bcl:" not in str(caught.value)
