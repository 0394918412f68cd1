"""The local server's HTTP interface: E2B's control plane, and the traffic of each sandbox."""
