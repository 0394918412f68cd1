"""A cloud that fails: what the local server does to calls when it is asked to. Nothing of it is loaded otherwise."""
