"""One check of a candidate each, as values, and what comes of it. Pure."""
