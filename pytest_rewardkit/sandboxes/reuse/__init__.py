"""One sandbox for several tests: reset between them, with a check that it is as before."""
