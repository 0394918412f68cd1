"""The process where results end: every report of a run, and its decision."""
