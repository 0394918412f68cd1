"""Warms the fork server's interpreter: it does once, before the forks, what every sandbox would do first."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from pytest_rewardkit.local.guest.execution import Executor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_rewardkit.local.guest.shell import Shell

_CELLS: Final = (
    "1 + 1",
    "import os, sys, time\nx = 1",
    "print(x)",
    "def f(n):\n    return n / 0\nf(1)",
    "1 +",
    "import asyncio\nawait asyncio.sleep(0)",
    "[1, 2], {'a': 1.5}",
    "rehearse()",
)


def preload(names: Sequence[str]) -> list[str]:
    """Import slow modules, and what figures and frames load on first use; return those that could be imported."""
    loaded = []
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
            loaded.append(name)
    if "pandas" in loaded:
        import pandas

        pandas.DataFrame({"a": [1.5]})._repr_html_()
    if "matplotlib" in loaded:
        _draw_a_figure()
    return loaded


def warm_up(shell: Shell, rehearse: Callable[[], None]) -> None:
    """Run some cells and forget them.

    Parameters:
        rehearse: further work for a cell.
    """
    shell.user_ns["rehearse"] = rehearse
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null), contextlib.redirect_stderr(null):
        asyncio.run(_run_cells(shell))
    shell.reset(new_session=True, aggressive=False)
    shell.execution_count = 1
    _show_figures_inline(shell)


def make_ready_to_fork() -> None:
    """Leave sandboxes few pages to write on, since they copy each shared page that they write on."""
    gc.collect()
    gc.freeze()
    # A new entry in the cache of type attributes replaces an old one, and so writes on the old one's reference count.
    ctypes.pythonapi.PyType_ClearCache()


async def _run_cells(shell: Shell) -> None:
    executor = Executor(shell)

    def ignore(event: str, **fields: Any) -> None:
        del event, fields

    for cell in _CELLS:
        await executor.execute(cell, ignore)


def _draw_a_figure() -> None:
    import matplotlib.pyplot  # noqa: F401
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([1, 2])
    axes.set_title("title")
    figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    with contextlib.suppress(ImportError):
        from e2b_charts import chart_figure_to_dict

        chart_figure_to_dict(figure)


def _show_figures_inline(shell: Shell) -> None:
    """Connect a preloaded pyplot to the shell, as it does itself when a cell imports it."""
    if "matplotlib.pyplot" not in sys.modules:
        return
    import matplotlib.pyplot
    from IPython.core.pylabtools import activate_matplotlib
    from matplotlib_inline.backend_inline import configure_inline_support, flush_figures

    backend = "module://matplotlib_inline.backend_inline"
    activate_matplotlib(backend)
    matplotlib.pyplot.install_repl_displayhook()
    configure_inline_support(shell, backend)
    # Another callback of this event draws figures, so the one that shows them has to be last.
    callbacks = shell.events.callbacks["post_execute"]
    if flush_figures in callbacks:
        callbacks.remove(flush_figures)
        callbacks.append(flush_figures)
