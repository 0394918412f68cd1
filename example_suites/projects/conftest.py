"""The judged project is not part of the suite: its tests run in sandboxes."""

collect_ignore = ["ledger"]
