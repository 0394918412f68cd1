"""The command `pytest-rewardkit`: tasks outside pytest."""
