"""What a run did, for people: figures per layer, tables, a page with roofline and timeline.

Comes in: a trace and its timing, with the layers' names.  Goes out: text, SVG and one HTML
file.  It computes no cycle of its own: every figure is a sum or ratio of what `sim` says.
"""
