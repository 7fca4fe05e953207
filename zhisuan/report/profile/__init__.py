"""Why a run took so long: time by source line, what filled the memories, and what to change.

Comes in: a `RunReport`.  Goes out: a `Profile`, as text, as one HTML page, as a Perfetto trace.
Nothing is executed here; where an advice needs a bound, the trace is timed again on a machine
that has no such limit.
"""
