"""Launch plans of the kernels that stream pixels through NRAM: instance_norm, channel_sums,
elementwise, rescale, resize_nearest, pad, pool2d, softmax, vecmat."""

from __future__ import annotations

from dataclasses import dataclass

from zhisuan.arch.machine import Machine, ceil_div
from zhisuan.isa.matrix import weight_bytes
from zhisuan.kernels.arena import ALIGNMENT, Arena, aligned, no_room, usable
from zhisuan.kernels.launch_plan import Args, LaunchPlan, on_cores
from zhisuan.kernels.tile import ACTIVATIONS, FLOAT, PAD_MODES

HALF = 2
STEPS = 12
"""Tiles of a core that a streaming kernel aims at: enough to overlap, few enough not to pay per
tile."""
LEAST_TILE = 16 << 10
"""Bytes of NRAM, of all buffers of a tile, below which its step costs more than its transfers."""
STATS_SHARE = 8
"""One in so many bytes of NRAM is for the channel sums of other tasks, as they come in."""

OPERATIONS = (
    "add", "sub", "mul", "div", "maximum", "minimum",
    "relu", "sigmoid", "tanh", "exp", "log", "sqrt", "abs",
)  # fmt: skip


def _tile_count(total: int, unit_bytes: int, fixed: int, machine: Machine, what: str,
                kernel: str) -> int:  # fmt: skip
    """Units per tile: an equal share of every core's STEPS, or what fits beside `fixed` bytes."""
    spare = usable(machine) - fixed - 8 * ALIGNMENT
    most = spare // unit_bytes
    if most < 1:
        raise no_room(kernel, what, "NRAM", fixed + unit_bytes + 8 * ALIGNMENT,
                      usable(machine), machine)  # fmt: skip
    share = ceil_div(total, machine.cores)
    aim = max(ceil_div(share, STEPS), min(share, ceil_div(LEAST_TILE, unit_bytes)))
    return max(1, min(most, aim))


def instance_norm(pixels: int, c: int, makers: int, epsilon: float, machine: Machine, *,
                  activation: str, residual: bool,
                  factor: float | None = None) -> LaunchPlan:  # fmt: skip
    """`pixels` × `c` halves, whose channel sums come from `makers` tasks; with a `factor` they
    become integers too."""
    integers = factor is not None
    per_pixel = c * HALF * (4 + 2 * residual + integers)
    batch = min(makers - 1, max(1, usable(machine) // STATS_SHARE // (4 * c * FLOAT)))
    vectors = ((7 + 4 * batch) * c + 1) * FLOAT  # six, zeros, the others' sums, the factor
    fixed = aligned(vectors)
    what = f"instance norm of {pixels} pixels × {c} channels"
    tile = _tile_count(pixels, per_pixel, fixed, machine, what, "instance_norm")
    arena = Arena(machine)
    tile_bytes = aligned(tile * c * HALF)
    args: Args = {
        "pixels": pixels,
        "c": c,
        "makers": makers,
        "batch": batch,
        "one_over_pixels": 1.0 / pixels,
        "epsilon": epsilon,
        "activation": ACTIVATIONS.index(activation),
        "factor": factor or 0.0,
        "tile_pixels": tile,
        "vector_offset": arena.take(vectors),
        "in_offset": arena.take(2 * tile_bytes),
        "residual_offset": arena.take(2 * tile_bytes if residual else 0),
        "out_offset": arena.take(2 * tile_bytes),
        "integer_offset": arena.take(tile_bytes if integers else 0),
        "tile_bytes": tile_bytes,
    }
    return on_cores(args, ceil_div(pixels, tile), machine)


def channel_sums(pixels: int, c: int, machine: Machine) -> LaunchPlan:
    """`pixels` × `c` halves; every task makes sums."""
    fixed = aligned(5 * c * FLOAT)
    what = f"channel sums of {pixels} pixels × {c} channels"
    tile = _tile_count(pixels, c * HALF * 2, fixed, machine, what, "channel_sums")
    arena = Arena(machine)
    tile_bytes = aligned(tile * c * HALF)
    args: Args = {
        "pixels": pixels,
        "c": c,
        "tile_pixels": tile,
        "vector_offset": arena.take(5 * c * FLOAT),
        "in_offset": arena.take(2 * tile_bytes),
        "tile_bytes": tile_bytes,
    }
    return on_cores(args, ceil_div(pixels, tile), machine)


def elementwise(operation: str, elements: int, machine: Machine) -> LaunchPlan:
    """One of OPERATIONS over `elements` halves."""
    lanes = ALIGNMENT // HALF
    blocks = _tile_count(ceil_div(elements, lanes), 6 * ALIGNMENT, 0, machine,
                         f"{operation} of {elements} elements", "elementwise")  # fmt: skip
    tile = blocks * lanes
    arena = Arena(machine)
    args: Args = {
        "operation": OPERATIONS.index(operation),
        "elements": elements,
        "tile": tile,
        "a_offset": arena.take(2 * tile * HALF),
        "b_offset": arena.take(2 * tile * HALF),
        "y_offset": arena.take(2 * tile * HALF),
    }
    return on_cores(args, ceil_div(elements, tile), machine)


def rescale(elements: int, factor: float, to_int8: bool, machine: Machine) -> LaunchPlan:
    """`elements` halves times `factor` to 8-bit integers, or the other way round."""
    blocks = _tile_count(ceil_div(elements, ALIGNMENT), 6 * ALIGNMENT, ALIGNMENT, machine,
                         f"rescaling of {elements} elements", "rescale")  # fmt: skip
    tile = blocks * ALIGNMENT
    arena = Arena(machine)
    args: Args = {
        "to_int8": int(to_int8),
        "elements": elements,
        "factor": factor,
        "tile": tile,
        "vector_offset": arena.take(2 * FLOAT),
        "in_offset": arena.take(2 * tile * (HALF if to_int8 else 1)),
        "out_offset": arena.take(2 * tile * (1 if to_int8 else HALF)),
    }
    return on_cores(args, ceil_div(elements, tile), machine)


def _tiles(height: int, width: int, tile_h: int, tile_w: int) -> int:
    return ceil_div(height, tile_h) * ceil_div(width, tile_w)


def _image_tile(height: int, width: int, pixel_bytes: int, fixed: int, machine: Machine,
                what: str, kernel: str) -> tuple[int, int]:  # fmt: skip
    """Rows and columns of a tile: whole rows if one fits, else part of one."""
    if pixel_bytes * width <= usable(machine) - fixed - 8 * ALIGNMENT:
        return _tile_count(height, pixel_bytes * width, fixed, machine, what, kernel), width
    return 1, _tile_count(width, pixel_bytes, fixed, machine, what, kernel)


def resize_nearest(height: int, width: int, pixel: int, scale_h: int, scale_w: int,
                   machine: Machine) -> LaunchPlan:  # fmt: skip
    """[height, width] pixels of `pixel` bytes, every one `scale_h` × `scale_w` times."""
    what = f"nearest resize of {height}×{width} pixels of {pixel} bytes by {scale_h}×{scale_w}"
    tile_h, tile_w = _image_tile(
        height, width, 2 * pixel * (1 + scale_w), 0, machine, what, "resize_nearest"
    )
    arena = Arena(machine)
    in_bytes = aligned(tile_h * tile_w * pixel)
    out_bytes = aligned(tile_h * tile_w * pixel * scale_w)
    args: Args = {
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
    return on_cores(args, _tiles(height, width, tile_h, tile_w), machine)


def pad(height: int, width: int, pixel: int, pads: tuple[int, int, int, int], mode: str,
        machine: Machine) -> LaunchPlan:  # fmt: skip
    """[height, width] pixels of `pixel` bytes; pads are top, left, bottom, right."""
    top, left, bottom, right = pads
    out_h, out_w = height + top + bottom, width + left + right
    what = f"padding of {height}×{width} pixels of {pixel} bytes"
    tile_h, tile_w = _image_tile(out_h, out_w, 3 * pixel, 0, machine, what, "pad")
    arena = Arena(machine)
    tile_bytes = aligned(tile_h * tile_w * pixel)
    args: Args = {
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
    return on_cores(args, _tiles(out_h, out_w, tile_h, tile_w), machine)


POOLINGS = {("max", "f16"): 0, ("mean", "f16"): 1, ("max", "i8"): 2}
"""Kind of pooling and element type, as pool2d.bcl numbers them."""


@dataclass(frozen=True)
class Pooling:
    """Geometry of a pooling in pixels; the input is [height, width, c], channels last."""

    height: int
    width: int
    c: int
    out_h: int
    out_w: int
    window: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]  # top, left, bottom, right
    kind: str  # with `dtype` a key of POOLINGS
    dtype: str


def pool2d(p: Pooling, machine: Machine) -> LaunchPlan:
    """Tiles of whole rows of windows where they fit, else of pieces of a row."""
    pixel = p.c * (1 if p.dtype == "i8" else HALF)

    def row(columns: int) -> int:
        return ((columns - 1) * p.strides[1] + p.window[1]) * pixel

    def needed(rows: int, columns: int) -> tuple[int, int, int]:
        """Bytes of an input tile, of an output tile and of a row of margin."""
        high = (rows - 1) * p.strides[0] + p.window[0]
        margin = row(columns) if any(p.pads) else 0
        return aligned(high * row(columns)), aligned(rows * columns * pixel), margin

    def fits(rows: int, columns: int) -> bool:
        inward, outward, margin = needed(rows, columns)
        return 2 * inward + 2 * outward + aligned(margin) <= usable(machine)

    tile_w = p.out_w
    while tile_w > 1 and not fits(1, tile_w):
        tile_w = ceil_div(tile_w, 2)
    share = ceil_div(ceil_div(p.out_h, machine.cores), STEPS)
    tile_h = max(share, min(p.out_h, LEAST_TILE // row(tile_w)), 1)
    while tile_h > 1 and not fits(tile_h, tile_w):
        tile_h -= 1
    inward, outward, margin = needed(tile_h, tile_w)
    arena = Arena(machine)
    args: Args = {
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
        "pooling": POOLINGS[p.kind, p.dtype],
        "tile_h": tile_h,
        "tile_w": tile_w,
        "in_pitch": row(tile_w),
        "in_offset": arena.take(2 * inward),
        "in_bytes": inward,
        "out_offset": arena.take(2 * outward),
        "out_bytes": outward,
        "margin_offset": arena.take(margin),
        "margin_bytes": margin,
    }
    if not arena.fits:
        what = f"pooling of {p.height}×{p.width}×{p.c}"
        raise no_room("pool2d", what, "NRAM", arena.used, arena.limit, machine)
    return on_cores(args, _tiles(p.out_h, p.out_w, tile_h, tile_w), machine)


def softmax(rows: int, n: int, machine: Machine) -> LaunchPlan:
    """Along `rows` rows of `n` halves."""
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
    return on_cores(args, rows, machine)


def vecmat(k: int, n: int, machine: Machine) -> LaunchPlan:
    """A [k] vector times a [k, n] matrix, float32."""
    block = weight_bytes(k, 64, FLOAT)
    blocks = min(machine.wram.size // block, ceil_div(ceil_div(n, 64), machine.cores))
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
    return on_cores(args, ceil_div(n, blocks * 64), machine)
