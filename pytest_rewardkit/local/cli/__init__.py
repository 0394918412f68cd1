"""What `python -m pytest_rewardkit.local` offers beside serving."""
