"""The operator library: NAME.bcl is the kernel, NAME.py its launch plan.

A launch plan takes shapes and a machine and gives the kernel's arguments: tile sizes and
offsets into the NRAM arena.  Kernels are compiled once and know no machine; plans know no
graph.
"""
