"""The results of all shards of a run as one run. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.formatting import counted
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.shard import Shard
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_rewardkit.reports.results.file import Stored

_OF_REWARDS: Final = (
    *("provider", "sandbox_scope", "memory_mb", "processes", "disk_mb", "open_files", "output_mb"),
    *("threshold", "selfcheck", "selfcheck_limit"),
)
"""Options that can change a candidate's reward or a test's outcome."""

OF_DECISIONS: Final = ("fail_under", "confidence", "baseline", "pair_by", "fail_on")
"""Options for decisions about the run, which apply to all shards together."""

_CIRCUMSTANCES: Final = ("started", "versions", "host", "sandboxes", "workers")
_BAD: Final = frozenset(("failed", "error", "crashed"))
_TEXT_LIMIT: Final = 60


@dataclass(slots=True)
class Joined:
    """The results of all shards of a run.

    Parameters:
        of: how many shards it has, according to each.
        run: the circumstances of the run, as in the first line of its results, with those of each shard.
        ledger: every test with its results, in the order of collection.
        unfinished: which shards are missing or incomplete; "" if none is.
        narrowed_by: how the tests were selected from all, before the split; "" if all were to run.
        gates_with_tests: the gates with selected tests.
        options: those of `OF_DECISIONS` that the shards were given.
    """

    of: int
    run: Mapping[str, Any]
    ledger: Ledger
    unfinished: str = ""
    narrowed_by: str = ""
    gates_with_tests: frozenset[str] = frozenset()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The number of shards, and how their circumstances differ."""
        there = len(self.run["shards"])
        name = counted(self.of, "shard") if there == self.of else f"{there:,} of {counted(self.of, 'shard')}"
        differing = [
            f"{what} {one_line(value, _TEXT_LIMIT)}"
            for part in ("host", "sandboxes", "versions")
            for what, value in self.run[part].items()
            if isinstance(value, str) and any(shard.get(part, {}).get(what) != value for shard in self.run["shards"])
        ]
        return f"{name} ({'; '.join(differing)})" if differing else name

    @property
    def seconds(self) -> float | None:
        """How long the longest shard took; None if no shard says."""
        known = [shard["seconds"] for shard in self.run["shards"] if isinstance(shard.get("seconds"), int | float)]
        return float(max(known)) if known else None


def shard_of(stored: Stored) -> Shard | None:
    """Return the shard that a results file is about; None for a whole run. Raises RewardkitUsageError."""
    said = stored.run.get("shard")
    if said is None:
        return None
    try:
        shard = Shard(int(said["number"]), int(said["of"]))
        if not 1 <= shard.number <= shard.of:
            raise ValueError
        if stored.end is not None and "shard" in stored.end:
            end = stored.end["shard"]
            _ = (str(end["digest"]), int(end["tests"]), [int(place) for place in end["places"]])
    except (KeyError, TypeError, ValueError):
        raise RewardkitUsageError(f"{stored.path}: its shard is none: {one_line(str(said), _TEXT_LIMIT)}") from None
    return shard


def join(files: Sequence[Stored], unreadable: Sequence[str] = ()) -> Joined:
    """Return the joined results of the shards in `files`.

    `Joined.unfinished` names shards that are missing, cut off or stopped.

    Parameters:
        files: the files that could be read, at least one of them a shard.
        unreadable: messages about files that could not be read.

    Raises RewardkitUsageError, with all errors, if the run is ambiguous: a shard appears twice, or belongs to another
    run.
    """
    shards = [(shard, stored) for stored in files if (shard := shard_of(stored)) is not None]
    wrong = [*unreadable, *(f"{it.path} is a whole run, and no shard of one" for it in files if shard_of(it) is None)]
    of = Counter(shard.of for shard, _ in shards).most_common(1)[0][0]
    wrong += [f"{stored.path} is {shard}, and others are of {of}" for shard, stored in shards if shard.of != of]
    numbered: defaultdict[int, list[Stored]] = defaultdict(list)
    for shard, stored in shards:
        if shard.of == of:
            numbered[shard.number].append(stored)
    for number, same in sorted(numbered.items()):
        if len(same) > 1:
            wrong.append(f"{Shard(number, of)} is there {len(same)} times: {', '.join(str(it.path) for it in same)}")
    by_number = {number: numbered[number][0] for number in sorted(numbered)}
    wrong += _others(by_number, of)
    lost = _lost(by_number, of)
    if wrong:
        raise RewardkitUsageError("; ".join([*wrong, *lost]))
    first = next(iter(by_number.values()))
    return Joined(
        of=of,
        run=_run(by_number, of),
        ledger=_ledger(by_number),
        unfinished="; ".join(lost),
        narrowed_by=next((it.narrowed_by for it in by_number.values() if it.end is not None), ""),
        gates_with_tests=frozenset().union(*(it.gates_with_tests for it in by_number.values())),
        options={name: value for name, value in _options(first).items() if name in OF_DECISIONS},
    )


def _others(shards: Mapping[int, Stored], of: int) -> list[str]:
    """Return which shards belong to another run than most: they have other tests, or other options."""
    found = []
    for text, said in (
        ("collected other tests than the others, or split them by other durations", _digest),
        *((f"had another option {name} than the others", _option(name)) for name in (*_OF_REWARDS, *OF_DECISIONS)),
    ):
        values = {number: value for number, stored in shards.items() if (value := said(stored)) is not None}
        usual = Counter(values.values()).most_common(1)
        for number, value in values.items():
            if value != usual[0][0]:
                found.append(f"{Shard(number, of)} ({shards[number].path}) {text}")
    seen: dict[str, int] = {}
    for number, stored in shards.items():
        twice = [test.node_id for test in stored.ledger.tests if seen.setdefault(test.node_id, number) != number]
        if twice and not found:
            other = Shard(seen[twice[0]], of)
            found.append(f"{one_line(twice[0], 200)} is in {other} and in {Shard(number, of)}")
    return found


def _digest(stored: Stored) -> str | None:
    return None if stored.end is None or "shard" not in stored.end else str(stored.end["shard"]["digest"])


def _option(name: str) -> Callable[[Stored], str]:
    return lambda stored: repr(_options(stored).get(name))


def _options(stored: Stored) -> Mapping[str, Any]:
    options = stored.run.get("options")
    return options if isinstance(options, dict) else {}


def _lost(shards: Mapping[int, Stored], of: int) -> list[str]:
    """Return what is missing from a run of `of` shards."""
    missing = [number for number in range(1, of + 1) if number not in shards]
    found = []
    if missing:
        names = f"shard {missing[0]}" if len(missing) == 1 else f"shards {_ranges(missing)}"
        found.append(f"{names} of {of} {'is' if len(missing) == 1 else 'are'} missing")
    for number, stored in shards.items():
        if why := stored.unfinished or _unexplained(stored):
            found.append(f"{Shard(number, of)}: {why}")
    return found


def _unexplained(stored: Stored) -> str:
    """Return why a shard failed for a reason that its results do not show; "" if it did not."""
    assert stored.end is not None
    if "shard" not in stored.end:
        return f"{stored.path.name} does not say which tests it had, as no worker lived to tell"
    if not stored.end.get("exit_status") or any(test.last.outcome in _BAD for test in stored.ledger.tests):
        return ""
    return f"it ended with exit status {stored.end['exit_status']}, but not by a test that has a reward"


def _ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers as ``1, 3-5``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _ledger(shards: Mapping[int, Stored]) -> Ledger:
    """Return all tests in the order in which a run of all of them would have collected them."""
    joined = Ledger()
    placed = []
    for number, stored in shards.items():
        places = [] if _digest(stored) is None else stored.end["shard"]["places"]  # type: ignore[index]
        indexes = {node_id: lines[-1].get("index") for node_id, lines in stored.lines.items()}
        last = len(stored.ledger.collected)
        for node_id in stored.ledger.collected:
            index = indexes.get(node_id)
            index = last if index is None else index
            # For a shard that was killed, only the order of its own tests is known.
            place = places[index] if index < len(places) else index * len(shards) + number
            placed.append((place, number, node_id))
    joined.expect(node_id for _, _, node_id in sorted(placed))
    for stored in shards.values():
        for test in stored.ledger.tests:
            for result in test.results:
                joined.add(test.node_id, result)
    return joined


def _run(shards: Mapping[int, Stored], of: int) -> dict[str, Any]:
    """Return the circumstances of all shards together, and of each."""
    runs = [stored.run for stored in shards.values()]
    return {
        "started": min(str(run.get("started", "")) for run in runs),
        **{name: _together([run.get(name) for run in runs]) for name in ("versions", "host", "sandboxes")},
        "workers": sum(workers for run in runs if type(workers := run.get("workers")) is int),
        "shards": [_circumstances(Shard(number, of), stored) for number, stored in shards.items()],
    }


def _circumstances(shard: Shard, stored: Stored) -> dict[str, Any]:
    found = {**shard._asdict(), **{name: stored.run[name] for name in _CIRCUMSTANCES if name in stored.run}}
    if stored.end is not None:
        found.update({name: stored.end[name] for name in ("seconds", "exit_status") if name in stored.end})
    return found


def _together(values: Iterable[Any]) -> dict[str, Any]:
    """Return the merged members of several objects: different texts side by side, and no number if numbers differ."""
    members: defaultdict[str, dict[Any, None]] = defaultdict(dict)
    for value in values:
        for name, member in (value if isinstance(value, dict) else {}).items():
            members[name][member if isinstance(member, str | int) else None] = None
    together: dict[str, Any] = {}
    for name, distinct in members.items():
        texts = [member for member in distinct if isinstance(member, str)]
        together[name] = next(iter(distinct)) if len(distinct) == 1 else ", ".join(texts) or None
    return together
