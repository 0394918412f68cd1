"""The command `pytest-rewardkit`: what is done beside pytest."""
