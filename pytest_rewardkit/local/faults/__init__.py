"""A failing cloud: what the local server does to calls on request. Without a request none of this is loaded."""
