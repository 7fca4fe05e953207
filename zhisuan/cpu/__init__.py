"""The CPU as a device: NumPy arrays are its storage, the registry's references its kernels.

Faster kernels may stand in for references; they are compared with them.
"""

from zhisuan.cpu.device import CpuDevice

__all__ = ["CpuDevice"]
