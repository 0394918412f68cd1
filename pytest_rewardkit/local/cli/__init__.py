"""The commands of `python -m pytest_rewardkit.local` other than serving."""
