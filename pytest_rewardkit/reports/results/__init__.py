"""The results file: one JSON line for the run, one for each run of a test, one for the end.

lines.py defines the lines, file.py writes and reads the files, schema.json describes the format to others.
"""
