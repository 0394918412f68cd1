"""The self-check of graders: by references and empty candidates, by attacks, by mutants, by repetition.

attacks.py, mutants.py and findings.py are pure; trial.py runs a test again with another candidate, and plugin.py is
pytest's side.
"""
