"""What a run has had of sandboxes: how many, for how long, at what price, and what of them is left."""
