"""The bridge: a graph at one size, on one machine, becomes a plan.

Comes in: an optimised graph, a binding of its symbolic sizes, a machine.  Goes out: a plan,
the programs and the constants it needs.  It computes no tensor values.
"""

from zhisuan.lower.lowering import Lowered, lower

__all__ = ["Lowered", "lower"]
