"""Benchmarks' own test code, run in one sandbox on the values that a candidate gives in another.

A test in the candidate's process believes what the candidate wants it to: `__eq__`, patched built-ins and early exits
have passed many a benchmark. Here the test's process never runs a line of the candidate's, and what is expected
never enters the candidate's sandbox. scoring.py tells how the two meet; guest/ is what runs inside.
"""
