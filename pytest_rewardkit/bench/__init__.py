"""`pytest-rewardkit bench`: how long sandboxes take to their first command, on a cluster and on this machine."""
