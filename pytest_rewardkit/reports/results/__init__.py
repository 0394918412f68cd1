"""The results file: one JSON line for the run, one for each attempt at a test as it ends, one for the end.

lines.py says what the lines hold, file.py writes and reads files of them, schema.json describes them to others.
"""
