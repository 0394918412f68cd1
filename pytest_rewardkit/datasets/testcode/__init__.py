"""Runs benchmarks' own test code in one sandbox, on the values that a candidate gives in another.

A test in the candidate's process believes what the candidate wants it to: candidates have passed many benchmarks by
`__eq__`, patched built-ins and early exits. Here the test's process never runs a line of the candidate, and the
expected values never enter the candidate's sandbox. scoring.py explains how the two meet; guest/ runs inside.
"""
