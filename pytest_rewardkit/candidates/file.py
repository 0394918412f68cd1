"""The file of candidates on record: a line of JSON for each answer, compressed if its name ends in ``.gz``."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from typing import TYPE_CHECKING

from pytest_rewardkit.candidates.answer import ModelAnswer
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import TextIO

    from pytest_rewardkit.candidates.answer import Key


def read_answers(path: Path) -> dict[Key, ModelAnswer]:
    """Return the answers of a file by their keys, the last one of each; none if there is no such file.

    An incomplete last line, from a run that was killed, is left out.

    Raises RewardkitUsageError, with the line, if the file cannot be read or is not such a file.
    """
    found: dict[Key, ModelAnswer] = {}
    for number, text in enumerate(_texts(path), 1):
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            if not text.endswith("\n"):
                break
            raise RewardkitUsageError(f"{path}, line {number}: not JSON") from None
        try:
            if not isinstance(fields, dict):
                raise TypeError(f"an answer is an object, not {text}")
            answer = ModelAnswer.from_fields(fields)
        except KeyError as error:
            raise RewardkitUsageError(f"{path}, line {number}: lacks {error}") from None
        except (TypeError, ValueError) as error:
            raise RewardkitUsageError(f"{path}, line {number}: {one_line(str(error), 200)}") from None
        found[answer.key] = answer
    return found


def write_answers(path: Path, answers: Iterable[ModelAnswer]) -> TextIO:
    """Replace the file atomically by one with `answers`, and return it open for further ones. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name[:200]}.{os.getpid()}")
    compressed = path.suffix == ".gz"
    file = gzip.open(new, "wt", encoding="ascii") if compressed else new.open("w", encoding="ascii")  # noqa: SIM115
    try:
        file.writelines(answer.to_line() for answer in answers)
        file.flush()
        new.replace(path)
    except BaseException:
        file.close()
        new.unlink(missing_ok=True)
        raise
    return file


def _texts(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            yield from file
    except FileNotFoundError:
        return
    except EOFError:
        return  # compressed and cut off
    except (OSError, UnicodeDecodeError, zlib.error) as error:
        raise RewardkitUsageError(f"cannot read candidates from {path}: {error}") from None
