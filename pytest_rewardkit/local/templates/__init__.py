"""Templates of a project's own: packages, in an environment of their own, that sandboxes are made from."""
