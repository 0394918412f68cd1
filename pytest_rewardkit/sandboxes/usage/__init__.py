"""A run's use of sandboxes: how many, for how long, at what price, and which are left."""
