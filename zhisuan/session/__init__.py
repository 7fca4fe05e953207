"""Running graphs: which devices there are, and later which node goes where."""
