"""Reads matplotlib's figures as they are shown or saved; runs in the candidate's interpreter.

The source of this module is sent there, so it needs only the standard library, and of matplotlib only the figures that
a candidate has made. A reading is a list of charts (figure_charts.py).
"""

from __future__ import annotations

import functools
import json
import sys

from pytest_rewardkit.scorers.guest.figure_charts import read

TYPING = False
if TYPING:
    from typing import Any, ClassVar

MIME = "application/vnd.rewardkit.figure"
"""The type under which a shown figure's reading leaves the sandbox, beside its image."""

MAX_FIGURES = 20


def install() -> None:
    """Make the interpreter add a reading to each figure that it shows."""
    from IPython.core.formatters import BaseFormatter
    from IPython.core.getipython import get_ipython
    from traitlets import Unicode

    shell: Any = get_ipython()
    formatters = shell.display_formatter.formatters

    class Formatter(BaseFormatter):
        format_type = Unicode(MIME)

        # Setting up the backend for cells would remove a printer for the type.
        def __call__(self, shown: Any) -> str | None:
            module: Any = sys.modules.get("matplotlib.figure")
            return written(shown) if module is not None and isinstance(shown, module.Figure) else None

    formatters[MIME] = Formatter()
    if "matplotlib.figure" in sys.modules:
        _watch(sys.modules["matplotlib.figure"])
    else:
        sys.meta_path.insert(0, _Watcher())


class _Watcher:
    """Receives each import before any other finder, and watches the modules of matplotlib's figures."""

    def find_spec(self, name: str, *_: Any) -> Any:
        if name != "matplotlib.figure":
            return None
        import importlib.util

        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                _watch(module)

            vars(spec.loader)["exec_module"] = exec_module
        return spec


def _watch(module: Any) -> None:
    """Read figures as they are saved: at the end they may be closed or empty."""
    save = module.Figure.savefig
    if getattr(save, "is_watched", False):
        return

    @functools.wraps(save)
    def savefig(figure: Any, *args: Any, **kwargs: Any) -> Any:
        saved = save(figure, *args, **kwargs)
        Unshown.saved = [*Unshown.saved, written(figure)][-MAX_FIGURES:]
        return saved

    vars(savefig)["is_watched"] = True
    module.Figure.savefig = savefig


class Unshown:
    """Its text is the readings of all figures that are left open or were saved, one per line.

    Parameters:
        nonce: begins the text, to distinguish it from the candidate's output.
    """

    saved: ClassVar[list[str]] = []

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce

    def __repr__(self) -> str:
        pyplot = sys.modules.get("matplotlib.pyplot")
        left = [pyplot.figure(number) for number in pyplot.get_fignums()[:MAX_FIGURES]] if pyplot is not None else []
        return self._nonce + "\n".join(dict.fromkeys([*map(written, left), *self.saved]))


def written(figure: Any) -> str:
    """A figure's reading as JSON."""
    try:
        return json.dumps(read(figure))
    except Exception as error:
        return json.dumps([{"unread": f"{type(error).__name__}: {error}"[:200], "series": []}])
