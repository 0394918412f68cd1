"""A plugin that sets the platform's name to `ELSEWHERE`, for everything after pytest's own start."""

import os
import sys

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure():
    sys.platform = os.environ["ELSEWHERE"]
