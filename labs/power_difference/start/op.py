"""The op `power_difference`, (a - b)^power with b for the last axis of a, made from the kernel."""

from pathlib import Path

import zhisuan as zs
from zhisuan import bcl

SOURCE = Path(__file__).with_name("power_difference.mlu")
KERNELS = bcl.compile(SOURCE.read_text(encoding="utf-8"), SOURCE.name, machine="mlu270")

# TODO: a reference in NumPy, a gradient in ops (zs.F and operators), and with both of them
# @zs.kernel_op(reference=reference, gradient=gradient)
# def power_difference(out, a, b, power): KERNELS.power_difference[16](…)
