"""The folder kept for a test that has run: the judged code, its results, and a script that repeats it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import TYPE_CHECKING, Final

from pytest_rewardkit.ledger.reward_fields import part_to_fields
from pytest_rewardkit.ledger.step import told
from pytest_rewardkit.reports.repeat import repeat_script

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_rewardkit.ledger.step import SandboxStep
    from pytest_rewardkit.reward import Reward

REWARD: Final = "reward.json"
SCRIPT: Final = "repeat.py"
_SLUG_LENGTH: Final = 100
_OURS: Final = re.compile(r"reward\.json|repeat\.py|[a-z_]+(-\d+)?\.(py|md|txt|bin|png|jpg)")
"""The names of the files in a folder."""
_JUDGED: Final = re.compile(r"(candidate(-\d+)?\.py|response(-\d+)?\.md)")


def folder_name(node_id: str, run_number: int = 1) -> str:
    """Return the name of a test's folder: readable, a single path step, and unique for each node id and rerun.

    Parameters:
        run_number: which run of the test this is, from 1.
    """
    slug = re.sub(r"[^A-Za-z0-9_.]+", "-", node_id).strip("-.")[:_SLUG_LENGTH]
    digest = hashlib.sha256(node_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slug}-{digest}" if run_number == 1 else f"{slug}-{digest}-attempt{run_number}"


def contents(
    node_id: str,
    reward: Reward,
    *,
    threshold: float | None = None,
    run_number: int = 1,
    steps: Sequence[SandboxStep] = (),
) -> dict[str, bytes]:
    """Return the files of a test by name; no name derives from what a candidate wrote."""
    files: dict[str, bytes] = {}
    if reward.evidence:
        files |= repeat_script(node_id, reward.evidence)
    for number, evidence in enumerate(reward.evidence, start=1):
        end = "" if number == 1 else f"-{number}"
        for name in ("stdout", "stderr", "fault"):
            if text := getattr(evidence, name):
                files[f"{name}{end}.txt"] = text.encode("utf-8", "surrogatepass")
    images = [image for evidence in reward.evidence for image in evidence.images]
    for number, image in enumerate(images, start=1):
        try:
            content = base64.b64decode(image, validate=True)
        except binascii.Error:
            continue
        files[f"image-{number}.{'jpg' if image.startswith('/9j/') else 'png'}"] = content
    if steps:
        files["steps.txt"] = told(steps).encode("utf-8", "surrogatepass")
    about = {
        "node_id": node_id,
        "attempt": run_number,
        "reward": reward.value,
        "verdict": reward.verdict.value,
        "reason": reward.reason,
        "threshold": threshold,
        "parts": [part_to_fields(part) for part in reward.parts],
    }
    files[REWARD] = (json.dumps(about, indent=2) + "\n").encode()
    return files


def candidates_in(folder: Path) -> list[Path]:
    """Return the files with the judged code: whole responses if there are any. Raises OSError."""
    files = sorted(path for path in folder.iterdir() if _JUDGED.fullmatch(path.name) and not path.is_symlink())
    return [path for path in files if path.suffix == ".md"] or files


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write `files` into `folder`, replacing those of an earlier run. Raises OSError."""
    clear(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # Last, because its presence marks the folder as ours.
    for name in sorted(files, key=lambda name: name == REWARD):
        # Follows no link, and writes to nothing that somebody else has put there.
        with (folder / name).open("xb") as file:
            file.write(files[name])


def clear(folder: Path) -> None:
    """Remove what `write` has written into `folder`, and the folder if nothing else is in it. Raises OSError."""
    if folder.is_symlink() or not (folder / REWARD).is_file():
        return
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name) and (path.is_symlink() or path.is_file()):
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
