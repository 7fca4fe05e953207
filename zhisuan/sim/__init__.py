"""The machine at work: memory, two executors of programs, traces, and their replay as time.

Comes in: programs, arguments, a machine description.  Goes out: values in memory, a trace, and
from the trace cycles with a cause for each.  It never compiles kernels and knows no networks.
"""
