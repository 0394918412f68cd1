"""A run's tests, attempts and rewards as values, the figures over them, and the resulting decisions. Pure."""
