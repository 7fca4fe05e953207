"""Checks of what a program did: memory, initialisation, races; the page is `run`."""
