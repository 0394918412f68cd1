"""The matrix that this package is held to: `nox` runs all of it, `nox -s "tests-3.14(pytest='newest')"` a cell.

What stands after `--` are arguments of pytest, as in `nox -- tests/unit`.
"""

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
# A matrix with holes is none; `--skip-missing-interpreters` for those who have not all of them.
nox.options.error_on_missing_interpreters = True


@nox.session(python=["3.11", "3.12", "3.13", "3.14", "3.15"])
@nox.parametrize("pytest", ["9.0", "newest"])
def tests(session: nox.Session, pytest: str) -> None:
    """All tests and the example suites."""
    session.install("-e", ".[dev]", "pytest" if pytest == "newest" else f"pytest=={pytest}.*")
    session.run("pytest", "-n", "2", "--dist", "worksteal", *session.posargs)
    if not session.posargs:
        session.run("pytest", "--rewardkit", "example_suites", "-n", "2")
