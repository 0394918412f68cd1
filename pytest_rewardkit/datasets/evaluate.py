"""Evaluates a reward function on all rows of a dataset, many at a time, outside or inside pytest."""

from __future__ import annotations

import inspect
import os
import sys
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.datasets.fields import missing_field
from pytest_rewardkit.datasets.formats import find_format
from pytest_rewardkit.datasets.marker import DatasetSource, template_of
from pytest_rewardkit.datasets.results import EvaluationResults, RowResult
from pytest_rewardkit.datasets.rows import open_dataset
from pytest_rewardkit.datasets.samples import Samples
from pytest_rewardkit.datasets.score import score_row
from pytest_rewardkit.datasets.workplace import Workplace
from pytest_rewardkit.errors import NoRewardError, RewardkitUsageError, SandboxUnavailable
from pytest_rewardkit.reward import Reward
from pytest_rewardkit.sandboxes.choice import choose
from pytest_rewardkit.sandboxes.lazy import opened
from pytest_rewardkit.sandboxes.script_run import ScriptRun
from pytest_rewardkit.scorers.function import SANDBOX, RewardFunction
from pytest_rewardkit.scorers.running.for_one import devote
from pytest_rewardkit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.datasets.row import Row
    from pytest_rewardkit.datasets.store import Fields

MAX_AT_ONCE: Final = 16


def evaluate_dataset(
    reward_function: Callable[..., Any] | None = None,
    dataset_path: str | Path | Iterable[Fields] | None = None,
    additional_fields: Sequence[str] = (),
    *,
    id: str | None = None,  # noqa: A002 - as in the marker
    format: str | None = None,  # noqa: A002
    samples: str | Path | Iterable[Fields] | None = None,
    limit: int | None = None,
    concurrency: int | None = None,
    template: str | None = None,
    provider: str = "auto",
    isolation: str = "auto",
    quota: str | None = None,
    results_path: str | Path | None = None,
    progress: bool = True,
) -> EvaluationResults:
    """Score every candidate of a dataset, and return the results.

    Parameters:
        reward_function: called with the candidate and, by keyword, the row's `additional_fields`, as for
            `reward_function`: a parameter ``sandbox`` takes a fresh one each time; it returns a reward or a number in
            [0, 1], or None if nothing can be said. If it is omitted, each row is scored by its format.
        dataset_path: a file or rows, as for `open_dataset`.
        additional_fields: names of the row's fields that the reward function takes.
        id, format, limit: as for the marker ``reward_dataset``.
        samples: candidates by the ids of rows. By default they are in the rows, as ``response``, ``candidate``,
            ``completion`` or ``solution``.
        concurrency: how many candidates are judged at a time; by default twice the number of processors, at most 16.
        template: for the sandboxes of rows without a field ``template``, as in the marker ``sandbox``.
        provider, isolation: where sandboxes come from, as for the options with these names.
        quota: what the account allows, as for the option; by default `PYTEST_REWARDKIT_QUOTA` from the environment.
        results_path: a file that receives one line of JSON for each candidate as soon as it is judged.
        progress: whether to show a progress bar on a terminal.

    Raises:
        RewardkitUsageError: the dataset, a row or an argument is wrong.
        KeyboardInterrupt: after Ctrl-C; all results so far are in the file, and no sandbox is left.
    """
    evaluation = Evaluation(
        reward_function,
        dataset_path,
        additional_fields,
        id=id,
        format=format,
        samples=samples,
        limit=limit,
        concurrency=concurrency,
        template=template,
        provider=provider,
        isolation=isolation,
        quota=quota,
        results_path=results_path,
        progress=progress,
    )
    return evaluation.run()


class Evaluation:
    """The work of `evaluate_dataset`; its constructor checks the arguments."""

    def __init__(
        self,
        reward_function: Callable[..., Any] | None = None,
        dataset_path: str | Path | Iterable[Fields] | None = None,
        additional_fields: Sequence[str] = (),
        *,
        id: str | None = None,  # noqa: A002
        format: str | None = None,  # noqa: A002
        samples: str | Path | Iterable[Fields] | None = None,
        limit: int | None = None,
        concurrency: int | None = None,
        template: str | None = None,
        provider: str = "auto",
        isolation: str = "auto",
        quota: str | None = None,
        results_path: str | Path | None = None,
        progress: bool = True,
    ) -> None:
        if dataset_path is None:
            swapped = reward_function is not None and not callable(reward_function)
            hint = "; the first argument is a function, so write dataset_path=" if swapped else ""
            raise RewardkitUsageError(f"evaluate_dataset needs a dataset_path{hint}")
        if isinstance(additional_fields, str):
            raise RewardkitUsageError(f"additional_fields must be a list of names, as [{additional_fields!r}]")
        if concurrency is not None and (not isinstance(concurrency, int) or concurrency < 1):
            raise RewardkitUsageError(f"concurrency must be a whole number, 1 or more, not {concurrency!r}")
        source = DatasetSource(
            open_dataset(dataset_path, id=id, limit=limit, needs=_needs(additional_fields, format)),
            find_format(format) if format is not None else None,
            Samples(samples) if samples is not None else None,
        )
        self._judge = _by_function(reward_function, additional_fields) if reward_function is not None else _by_format
        self._rows = list(source.sampled_rows())
        self._concurrency = concurrency or min(MAX_AT_ONCE, 2 * (os.cpu_count() or 2))
        self._template = template
        self._provider, self._isolation, self._quota = provider, isolation, quota
        self._results_path, self._progress = results_path, progress
        self._lock = threading.Lock()
        self.is_stopped = False
        self._futures: list[Future[RowResult]] = []
        self._workplace: Workplace | None = None

    def run(self) -> EvaluationResults:
        """Judges all candidates. Raises CancelledError if `stop` was called meanwhile."""
        with ExitStack() as stack:
            own = stack.enter_context(self._own_run())
            workplace = stack.enter_context(Workplace(own, self._judge, self._template))
            write = stack.enter_context(_writer(self._results_path))
            bar = stack.enter_context(_bar(len(self._rows), self._progress))
            executor = ThreadPoolExecutor(self._concurrency, thread_name_prefix="rewardkit-evaluate")
            with self._lock:
                self._workplace = workplace
                self._futures = [executor.submit(workplace.judged, row) for row in self._rows]
            try:
                if self.is_stopped:
                    raise CancelledError
                for future in as_completed(self._futures):
                    result = future.result()
                    write(result)
                    bar(result.reward)
            except BaseException:
                self.stop()
                raise
            finally:
                executor.shutdown()
        return EvaluationResults([future.result() for future in self._futures])

    @contextmanager
    def _own_run(self) -> Iterator[ScriptRun]:
        """A run for the time of an evaluation; sandboxes that a reward function creates itself come from it too."""
        chosen = choose(self._provider, os.environ, isolation=self._isolation)
        with ScriptRun.open(chosen, isolation=self._isolation, quota=self._quota, go_on=self._go_on) as run:
            before = {variable: os.environ.get(variable) for variable in run.provider.environment()}
            os.environ.update(run.provider.environment())
            try:
                yield run
            finally:
                for variable, value in before.items():
                    if value is None:
                        os.environ.pop(variable, None)
                    else:
                        os.environ[variable] = value

    def _go_on(self) -> None:
        """Called while the evaluation waits for a sandbox."""
        if self.is_stopped:
            raise SandboxUnavailable("the evaluation was stopped")
        if self._workplace is not None:
            self._workplace.give_up_unused()

    def stop(self) -> None:
        """Stops judging. Candidates that still run end with their sandboxes."""
        with self._lock:
            self.is_stopped = True
            workplace, futures = self._workplace, self._futures
        for future in futures:
            future.cancel()
        if workplace is not None:
            workplace.stop()


def _by_format(row: Row, sandbox: Callable[[], Sandbox]) -> Reward:
    return score_row(devote(sandbox()), row)


def _by_function(
    function: Callable[..., Any], additional_fields: Sequence[str]
) -> Callable[[Row, Callable[[], Sandbox]], Reward]:
    """Returns a judge of rows by a reward function. Raises RewardkitUsageError if the function rejects the fields."""
    judging = function if isinstance(function, RewardFunction) else RewardFunction(function)
    signature = inspect.signature(function)
    wants_sandbox = SANDBOX in signature.parameters
    try:
        signature.bind("", **dict.fromkeys(additional_fields), **({SANDBOX: None} if wants_sandbox else {}))
    except TypeError as error:
        name = getattr(function, "__name__", "the reward function")
        raise RewardkitUsageError(f"{name} does not accept the fields of additional_fields: {error}") from None

    def judge(row: Row, sandbox: Callable[[], Sandbox]) -> Reward:
        fields: dict[str, Any] = {name: row[name] for name in additional_fields}
        if wants_sandbox:
            fields[SANDBOX] = opened(sandbox())
        candidate = row.candidate
        try:
            return judging(candidate, **fields)
        except NoRewardError as error:
            return Reward.unscored(str(error))
        except RewardkitUsageError as error:
            raise RewardkitUsageError(f"{row.place}: {error}") from None
        except Exception as error:
            # Only a returned value judges a candidate, not an exception.
            return Reward.unscored(f"the reward function raised {type(error).__name__}: {one_line(str(error), 300)}")

    return judge


def _needs(additional_fields: Sequence[str], format: str | None) -> Callable[[Fields, str], Mapping[str, Any] | None]:  # noqa: A002
    form = find_format(format) if format is not None else None

    def check(fields: Fields, place: str) -> Mapping[str, Any] | None:
        if form is not None:
            form.check(fields, place)
        for name in additional_fields:
            if name not in fields:
                raise missing_field(name, fields, place)
        if "template" in additional_fields or (form is not None and not form.ours):
            return None
        template = template_of(fields)
        return {"template": template} if template is not None else None

    return check


@contextmanager
def _writer(path: str | Path | None) -> Iterator[Callable[[RowResult], None]]:
    if path is None:
        yield lambda _: None
        return
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.open("w", encoding="ascii", buffering=1)
    except OSError as error:
        raise RewardkitUsageError(f"results_path: cannot write to {path}: {error.strerror or error}") from None
    with written as file:
        yield lambda result: print(result.to_json(), file=file)


@contextmanager
def _bar(total: int, wanted: bool) -> Iterator[Callable[[Reward], None]]:
    """A progress bar on standard error, if that is a terminal and tqdm is installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        wanted = False
    if not wanted or not sys.stderr.isatty():
        yield lambda _: None
        return
    earned, scored = 0.0, 0
    with tqdm(total=total, unit="row") as bar:

        def show(reward: Reward) -> None:
            nonlocal earned, scored
            if reward.value is not None:
                earned, scored = earned + reward.value, scored + 1
                bar.set_postfix_str(f"mean {earned / scored:.3f}", refresh=False)
            bar.update()

        yield show
