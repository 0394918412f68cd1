"""Tests from data: rows of a file as pytest items, formats of benchmarks, whole datasets evaluated at once."""
