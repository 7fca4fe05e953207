"""Programs that people may want to read, run and change."""
