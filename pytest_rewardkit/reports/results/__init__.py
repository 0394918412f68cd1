"""The results file: one JSON line for the run, one for each time that a test has run, one for the end.

lines.py says what the lines hold, file.py writes and reads files of them, schema.json describes them to others.
"""
