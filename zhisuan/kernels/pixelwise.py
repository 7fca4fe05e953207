"""Launch plans of the kernels that stream pixels through NRAM: instance_norm, channel_sums,
elementwise, resize_nearest, pad, pool2d,
softmax, vecmat."""

from __future__ import annotations

from dataclasses import dataclass

from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.isa.matrix import weight_bytes
from zhisuan.kernels.arena import ALIGNMENT, Arena, aligned, no_room, usable
from zhisuan.kernels.conv2d import ACTIVATIONS, FLOAT, HALF, PAD_MODES

Args = dict[str, int | float]
STEPS = 12
"""Tiles a streaming kernel aims at: enough to overlap, few enough not to pay per tile."""

OPERATIONS = (
    "add", "sub", "mul", "div", "maximum", "minimum",
    "relu", "sigmoid", "tanh", "exp", "log", "sqrt", "abs",
)  # fmt: skip


def _tile_count(total: int, unit_bytes: int, fixed: int, machine: Machine, what: str,
                kernel: str) -> int:  # fmt: skip
    """Units per tile: an equal share of STEPS, or what fits beside `fixed` bytes."""
    spare = usable(machine) - fixed - 8 * ALIGNMENT
    most = spare // unit_bytes
    if most < 1:
        raise no_room(kernel, what, "NRAM", fixed + unit_bytes + 8 * ALIGNMENT,
                      usable(machine), machine)  # fmt: skip
    return max(1, min(most, ceil_div(total, STEPS)))


def instance_norm(pixels: int, c: int, epsilon: float, machine: Machine, *, activation: str,
                  residual: bool) -> Args:  # fmt: skip
    """Arguments of instance_norm.bcl but its pointers, for `pixels` × `c` halves."""
    per_pixel = c * HALF * (4 + 2 * residual)
    fixed = aligned(6 * c * FLOAT)
    what = f"instance norm of {pixels} pixels × {c} channels"
    tile = _tile_count(pixels, per_pixel, fixed, machine, what, "instance_norm")
    arena = Arena(machine)
    tile_bytes = aligned(tile * c * HALF)
    return {
        "pixels": pixels,
        "c": c,
        "one_over_pixels": 1.0 / pixels,
        "epsilon": epsilon,
        "activation": ACTIVATIONS.index(activation),
        "tile_pixels": tile,
        "vector_offset": arena.take(6 * c * FLOAT),
        "in_offset": arena.take(2 * tile_bytes),
        "residual_offset": arena.take(2 * tile_bytes if residual else 0),
        "out_offset": arena.take(2 * tile_bytes),
        "tile_bytes": tile_bytes,
    }


def channel_sums(pixels: int, c: int, machine: Machine) -> Args:
    """Arguments of channel_sums.bcl but its pointers."""
    fixed = aligned(4 * c * FLOAT)
    what = f"channel sums of {pixels} pixels × {c} channels"
    tile = _tile_count(pixels, c * HALF * 2, fixed, machine, what, "channel_sums")
    arena = Arena(machine)
    tile_bytes = aligned(tile * c * HALF)
    return {
        "pixels": pixels,
        "c": c,
        "first_tile": 1.0 / min(tile, pixels),
        "tile_pixels": tile,
        "vector_offset": arena.take(4 * c * FLOAT),
        "in_offset": arena.take(2 * tile_bytes),
        "tile_bytes": tile_bytes,
    }


def elementwise(operation: str, elements: int, machine: Machine) -> Args:
    """Arguments of elementwise.bcl but its pointers."""
    lanes = ALIGNMENT // HALF
    blocks = _tile_count(ceil_div(elements, lanes), 6 * ALIGNMENT, 0, machine,
                         f"{operation} of {elements} elements", "elementwise")  # fmt: skip
    tile = blocks * lanes
    arena = Arena(machine)
    return {
        "operation": OPERATIONS.index(operation),
        "elements": elements,
        "tile": tile,
        "a_offset": arena.take(2 * tile * HALF),
        "b_offset": arena.take(2 * tile * HALF),
        "y_offset": arena.take(2 * tile * HALF),
    }


def _image_tile(height: int, width: int, pixel_bytes: int, fixed: int, machine: Machine,
                what: str, kernel: str) -> tuple[int, int]:  # fmt: skip
    """Rows and columns of a tile: whole rows if one fits, else part of one."""
    if pixel_bytes * width <= usable(machine) - fixed - 8 * ALIGNMENT:
        return _tile_count(height, pixel_bytes * width, fixed, machine, what, kernel), width
    return 1, _tile_count(width, pixel_bytes, fixed, machine, what, kernel)


def resize_nearest(height: int, width: int, c: int, scale_h: int, scale_w: int,
                   machine: Machine) -> Args:  # fmt: skip
    """Arguments of resize_nearest.bcl but its pointers."""
    pixel = c * HALF
    what = f"nearest resize of {height}×{width}×{c} by {scale_h}×{scale_w}"
    tile_h, tile_w = _image_tile(
        height, width, 2 * pixel * (1 + scale_w), 0, machine, what, "resize_nearest"
    )
    arena = Arena(machine)
    in_bytes = aligned(tile_h * tile_w * pixel)
    out_bytes = aligned(tile_h * tile_w * pixel * scale_w)
    return {
        "height": height,
        "width": width,
        "pixel": pixel,
        "scale_h": scale_h,
        "scale_w": scale_w,
        "tile_h": tile_h,
        "tile_w": tile_w,
        "in_offset": arena.take(2 * in_bytes),
        "in_bytes": in_bytes,
        "out_offset": arena.take(2 * out_bytes),
        "out_bytes": out_bytes,
    }


def pad(height: int, width: int, c: int, pads: tuple[int, int, int, int], mode: str,
        machine: Machine) -> Args:  # fmt: skip
    """Arguments of pad.bcl but its pointers; pads are top, left, bottom, right."""
    top, left, bottom, right = pads
    pixel = c * HALF
    out_h, out_w = height + top + bottom, width + left + right
    what = f"padding of {height}×{width}×{c}"
    tile_h, tile_w = _image_tile(out_h, out_w, 3 * pixel, 0, machine, what, "pad")
    arena = Arena(machine)
    tile_bytes = aligned(tile_h * tile_w * pixel)
    return {
        "height": height,
        "width": width,
        "pixel": pixel,
        "out_h": out_h,
        "out_w": out_w,
        "pad_top": top,
        "pad_left": left,
        "pad_mode": PAD_MODES.index(mode),
        "tile_h": tile_h,
        "tile_w": tile_w,
        "tile_offset": arena.take(2 * tile_bytes),
        "tile_bytes": tile_bytes,
        "zero_offset": arena.take(tile_w * pixel),
    }


@dataclass(frozen=True)
class Pooling:
    """Geometry of a pooling in pixels; the input is [height, width, c] half, channels last."""

    height: int
    width: int
    c: int
    out_h: int
    out_w: int
    window: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]  # top, left, bottom, right
    mean: bool


def pool2d(p: Pooling, machine: Machine) -> Args:
    """Arguments of pool2d.bcl but its pointers."""
    pixel = p.c * HALF
    what = f"pooling of {p.height}×{p.width}×{p.c}"
    per_pixel = 4 * pixel + (2 * p.c * FLOAT if p.mean else 0)
    tile_h, tile_w = _image_tile(p.out_h, p.out_w, per_pixel, 0, machine, what, "pool2d")
    plane = aligned(tile_h * tile_w * pixel)
    wide = tile_h * tile_w * p.c * FLOAT if p.mean else 0
    arena = Arena(machine)
    return {
        "height": p.height,
        "width": p.width,
        "c": p.c,
        "out_h": p.out_h,
        "out_w": p.out_w,
        "window_h": p.window[0],
        "window_w": p.window[1],
        "stride_h": p.strides[0],
        "stride_w": p.strides[1],
        "pad_top": p.pads[0],
        "pad_left": p.pads[1],
        "padded": int(any(p.pads)),
        "pooling": int(p.mean),
        "tile_h": tile_h,
        "tile_w": tile_w,
        "plane_offset": arena.take(2 * plane),
        "plane_bytes": plane,
        "wide_offset": arena.take(wide),
        "acc_offset": arena.take(wide),
        "out_offset": arena.take(2 * plane),
        "share": 1.0 / (p.window[0] * p.window[1]),
    }


def softmax(rows: int, n: int, machine: Machine) -> Args:
    """Arguments of softmax.bcl but its pointers."""
    row_bytes = aligned(n * HALF)
    arena = Arena(machine)
    args: Args = {
        "rows": rows,
        "n": n,
        "in_offset": arena.take(2 * row_bytes),
        "out_offset": arena.take(2 * row_bytes),
        "row_bytes": row_bytes,
        "wide_offset": arena.take(n * FLOAT),
        "scalar_offset": arena.take(4 * FLOAT),
    }
    if not arena.fits:
        what = f"softmax of {rows} rows of {n}"
        raise no_room("softmax", what, "NRAM", arena.used, arena.limit, machine)
    return args


def vecmat(k: int, n: int, machine: Machine) -> Args:
    """Arguments of vecmat.bcl but its pointers: a [k] vector times a [k, n] matrix, float32."""
    block = weight_bytes(k, 64, FLOAT)
    blocks = min(machine.wram.size // block, ceil_div(n, 64))
    what = f"vector of {k} times matrix of {k}×{n}"
    if blocks < 1:
        raise no_room("vecmat", what, "WRAM", block, machine.wram.size, machine)
    arena = Arena(machine)
    args: Args = {
        "k": k,
        "n": n,
        "tile_n": blocks * 64,
        "block_bytes": block,
        "in_offset": arena.take(k * FLOAT),
        "out_offset": arena.take(blocks * 64 * FLOAT),
    }
    if not arena.fits:
        raise no_room("vecmat", what, "NRAM", arena.used, arena.limit, machine)
    return args
