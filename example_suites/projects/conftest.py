"""The project that is judged is no part of the suite: its tests run in sandboxes."""

collect_ignore = ["ledger"]
