"""Tests from data: rows of a file as pytest items, benchmarks' formats, whole datasets evaluated at once."""
