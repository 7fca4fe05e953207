"""Labs: tasks to write kernels for, and the grader that judges them, offline.

Comes in: a lab (a folder of `labs/`) and a folder with somebody's answer.  Goes out: points by
criterion, and what failed first and where.  It never computes for the answer: every value that
is judged comes from instructions of the simulated chip.
"""
