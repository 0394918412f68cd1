"""One sandbox for several tests: brought back to what it was between them, and shown to be so."""
