"""What the local server says over HTTP: E2B's control plane, and the traffic of each sandbox."""
