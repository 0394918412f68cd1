"""`python -m pytest_rewardkit`, in case the command `pytest-rewardkit` is not on the path."""

import sys

from pytest_rewardkit.command_line.main import main

if __name__ == "__main__":
    sys.exit(main())
