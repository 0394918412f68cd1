"""The command that started a run, as reports show it."""

import pytest

from pytest_rewardkit.run.controller.facts import without_secrets


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--api-key=abc", "tests"], ["--api-key=...", "tests"]),
        (["--token", "abc", "tests"], ["--token", "...", "tests"]),
        (["-o", "auth_header=abc"], ["-o", "auth_header=..."]),
        (["--db-password", "--verbose"], ["--db-password", "--verbose"]),
        (["--index=https://me:abc@example.org/x"], ["--index=https://...@example.org/x"]),
        (["-k", "key or token", "-n", "2"], ["-k", "key or token", "-n", "2"]),
    ],
)
def test_secrets_are_not_told(arguments: list[str], told: list[str]) -> None:
    assert without_secrets(arguments) == told
