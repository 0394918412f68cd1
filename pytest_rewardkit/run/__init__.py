"""One pytest run: recorders in the processes that run tests, a ledger and gates in the process where the run ends."""
