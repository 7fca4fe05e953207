"""From real numbers to 8-bit integers: ranges seen on example inputs, and the graph rewritten.

`calibrate` runs a graph and notes magnitudes, `quantize` rewrites it with them, `compare` says
what that costs.  Knows no hardware and no file formats but the calibration's own.
"""

from zhisuan.quantize.calibrate import calibrate
from zhisuan.quantize.calibration import Calibration
from zhisuan.quantize.compare import Comparison, compare, cosine
from zhisuan.quantize.rewrite import Quantized, quantize

__all__ = [
    "Calibration",
    "Comparison",
    "Quantized",
    "calibrate",
    "compare",
    "cosine",
    "quantize",
]
