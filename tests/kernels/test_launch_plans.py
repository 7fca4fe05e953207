"""Launch plans: packing is a re-layout, tiles fit every machine, impossible ones are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhisuan.arch.load import load
from zhisuan.base.errors import ZhisuanError
from zhisuan.kernels import pixelwise
from zhisuan.kernels.conv2d import choose_pack, plan, widen_filter
from zhisuan.kernels.convolution import Convolution
from zhisuan.kernels.tile import PAD_MODES

MACHINE = load("dlp-s")


@given(
    pack=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    ci=st.integers(1, 3),
    co=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_a_widened_filter_computes_a_block_of_pixels(
    pack: tuple[int, int], strides: tuple[int, int], kernel: tuple[int, int], ci: int, co: int,
    seed: int,
) -> None:  # fmt: skip
    random = np.random.default_rng(seed)
    filters = random.integers(-4, 5, (co, ci, *kernel)).astype(np.float64)
    size = [(p - 1) * s + k for p, s, k in zip(pack, strides, kernel, strict=True)]
    tile = random.integers(-4, 5, (*size, ci)).astype(np.float64)
    plain = [
        np.einsum(
            "yxc,ocyx->o",
            tile[i * strides[0] :, j * strides[1] :][: kernel[0], : kernel[1]],
            filters,
        )
        for i, j in np.ndindex(pack)
    ]
    packed = tile.reshape(-1) @ widen_filter(filters, pack, strides)
    assert np.array_equal(packed, np.concatenate(plain))


@pytest.mark.parametrize(
    ("ci", "co", "kernel", "stride", "expected"),
    [
        (3, 32, 9, 1, (1, 2)),
        (32, 32, 3, 1, (1, 2)),
        (32, 32, 3, 2, (1, 2)),
        (32, 8, 3, 1, (2, 4)),
        (8, 4, 3, 1, (4, 4)),
        (64, 128, 3, 1, (1, 1)),
    ],
)
def test_packing_of_the_layers_we_care_about(
    ci: int, co: int, kernel: int, stride: int, expected: tuple[int, int]
) -> None:
    shape = Convolution(64, 64, ci, 64 // stride, 64 // stride, co, kernel, kernel, stride, stride)
    assert choose_pack(shape, MACHINE) == expected


@given(
    out_h=st.integers(1, 300),
    out_w=st.integers(1, 3000),
    ci=st.integers(1, 48),  # the filter must fit WRAM
    co=st.integers(1, 128),
    kernel=st.sampled_from([1, 2, 3, 5, 9]),
    stride=st.integers(1, 2),
    mode=st.sampled_from(PAD_MODES),
)
def test_tiles_fit_nram_and_cover_the_picture(
    out_h: int, out_w: int, ci: int, co: int, kernel: int, stride: int, mode: str
) -> None:
    shape = Convolution(
        (out_h - 1) * stride + kernel, (out_w - 1) * stride + kernel, ci, out_h, out_w, co,
        kernel, kernel, stride, stride, pad_mode=mode,
    )  # fmt: skip
    found, makers = plan(shape, choose_pack(shape, MACHINE), MACHINE, activation="", stats=True)
    args = found.args
    assert (found.tasks, found.task_type, makers) == (1, "BLOCK", 1)
    assert args["tile_w"] % args["pack_w"] == 0 and args["tile_h"] % args["pack_h"] == 0
    tiles = -(-out_h // args["tile_h"]) * -(-out_w // args["tile_w"])
    buffers = 2 if tiles > 1 else 1
    assert args["out_offset"] + buffers * args["out_bytes"] <= args["vector_offset"]
    assert args["zero_offset"] + args["zero_bytes"] <= MACHINE.nram_usable
    assert 1 <= args["tile_h"] <= out_h


def test_a_machine_too_small_for_one_tile_is_refused() -> None:
    tiny = replace(MACHINE, name="tiny", nram=replace(MACHINE.nram, size=140_000))
    shape = Convolution(64, 64, 32, 64, 64, 32, 3, 3, pad_top=1, pad_left=1, pad_mode="reflect")
    found, _ = plan(shape, (1, 2), tiny, activation="", stats=True)
    assert found.args["tile_h"] == 1
    smaller = replace(MACHINE, name="tiny", nram=replace(MACHINE.nram, size=133_000))
    with pytest.raises(ZhisuanError) as caught:
        plan(shape, (1, 2), smaller, activation="", stats=True)
    assert str(caught.value) == (
        "error: machine 'tiny' cannot hold one tile of conv2d\n"
        "  where:    convolution 3×3, 32→32 channels, output 64×64\n"
        "  expected: at least 3,200 bytes of NRAM\n"
        "  found:    1,928 bytes usable\n"
        "  try:      enlarge [nram] size in the machine file, or use --machine dlp-s"
    )


@given(st.integers(1, 10**6), st.integers(1, 512), st.booleans(), st.sampled_from(["", "sigmoid"]),
       st.sampled_from([None, 2.5]))  # fmt: skip
def test_instance_norm_tiles_fit(
    pixels: int, c: int, residual: bool, activation: str, factor: float | None
) -> None:
    args = pixelwise.instance_norm(
        pixels, c, 1, 1e-5, MACHINE, activation=activation, residual=residual, factor=factor
    ).args
    assert args["out_offset"] + 2 * args["tile_bytes"] <= args["integer_offset"]
    integers = args["tile_bytes"] if factor else 0
    assert args["integer_offset"] + integers <= MACHINE.nram_usable
    assert args["tile_bytes"] >= args["tile_pixels"] * c * 2
