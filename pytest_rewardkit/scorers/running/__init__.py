"""Running a candidate in a sandbox, and asking it."""
