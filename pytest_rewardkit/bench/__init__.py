"""`pytest-rewardkit bench`: the time from a sandbox's creation to its first command, on a cluster and locally."""
