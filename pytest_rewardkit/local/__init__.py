"""The local server: E2B's wire protocol on loopback, without a key."""
