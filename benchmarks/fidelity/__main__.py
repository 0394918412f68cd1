"""Compares the local server's interpreter with a real ipykernel on the corpus.

    python -m benchmarks.fidelity [--show]

Prints the share of cells whose normalised output is identical, and names each cell that differs.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

from e2b_code_interpreter import Execution, Result, Sandbox

from benchmarks.fidelity.cells import CELLS
from benchmarks.fidelity.normalise import normalise
from benchmarks.fidelity.reference_kernel import NAMES, reference_kernel
from pytest_rewardkit.local.handle import LocalServer


def seen_by_sdk(execution: Execution) -> dict[str, Any]:
    results = []
    for result in execution.results:
        fields = {name: getattr(result, name) for name in NAMES.values() if name != "chart"}
        fields["chart"] = _chart(result)
        if result.extra:
            fields["extra"] = result.extra
        results.append(
            {**{name: value for name, value in fields.items() if value is not None}, "main": result.is_main_result}
        )
    error = execution.error
    return {
        "stdout": "".join(execution.logs.stdout),
        "stderr": "".join(execution.logs.stderr),
        "results": results,
        "error": error and {"name": error.name, "value": error.value, "traceback": error.traceback},
        "count": execution.execution_count,
    }


def through_sdk(seen: dict[str, Any]) -> dict[str, Any]:
    """The reference's charts as the SDK presents them."""
    results = [
        {**result, "chart": _chart(Result(chart=result["chart"]))} if "chart" in result else result
        for result in seen["results"]
    ]
    return {**seen, "results": [{name: item for name, item in row.items() if item is not None} for row in results]}


def _chart(result: Result) -> dict[str, Any] | None:
    chart = getattr(result, "chart", None)
    return chart.to_dict() if chart else None


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the local interpreter with ipykernel.")
    parser.add_argument("--show", action="store_true", help="print both sides of each difference")
    show = parser.parse_args().show

    server = LocalServer.listen()
    try:
        os.environ.update(server.environment())
        with Sandbox.create() as sandbox, reference_kernel() as reference:
            differing = {}
            for name, code in CELLS.items():
                ours = normalise(seen_by_sdk(sandbox.run_code(code, timeout=120)))
                theirs = normalise(through_sdk(reference.run(code)))
                if ours != theirs:
                    differing[name] = (ours, theirs)
    finally:
        server.stop()

    same = len(CELLS) - len(differing)
    print(f"{same} of {len(CELLS)} cells identical ({same / len(CELLS):.1%})")
    for name, (ours, theirs) in differing.items():
        fields = [field for field in ours if ours[field] != theirs[field]]
        print(f"  differs: {name} ({', '.join(fields)})")
        if show:
            for field in fields:
                print(f"    ours:      {ours[field]!r:.600}\n    reference: {theirs[field]!r:.600}")


if __name__ == "__main__":
    main()
