"""Makes libraries show pictures in the cell's output, as in a notebook: there is no screen for a window."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from IPython.display import display

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from pytest_rewardkit.local.guest.shelf import Shelf


def show_pictures(shelf: Shelf) -> None:
    """Make Pillow's `show` and its `save` to a named file, and plotly's `show`, display the picture.

    Each library is changed now, or as soon as it is imported.

    Parameters:
        shelf: holds the modules that are imported in advance.
    """
    # plotly has no public name for this. If a release moves it, figures are shown as in a terminal.
    patches = (("PIL.ImageShow", _patch_show), ("PIL.Image", _patch_save), ("plotly.io._renderers", _patch_renderers))
    for name, patch in patches:
        if (module := shelf.get(name)) is not None:
            patch(module)
        else:
            sys.meta_path.insert(0, _AfterImport(name, patch))


class _AfterImport(importlib.abc.MetaPathFinder):
    """Calls a function once with a module, after the module's import."""

    def __init__(self, name: str, action: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._action = action

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the module as other finders do, and call the function after its execution."""
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_act(module: ModuleType) -> None:
            execute(module)
            self._action(module)

        spec.loader.exec_module = execute_and_act  # type: ignore[method-assign]
        return spec


def _patch_show(module: Any) -> None:
    def show(image: Any, *_arguments: Any, **_options: Any) -> bool:
        # No program is started to show the image.
        display(image)
        return True

    module.show = show


def _patch_save(module: Any) -> None:
    original = module.Image.save

    def save(self: Any, fp: Any, *arguments: Any, **params: Any) -> None:
        if isinstance(fp, str):
            display(self)
        original(self, fp, *arguments, **params)

    module.Image.save = save


def _patch_renderers(module: Any) -> None:
    # plotly only checks nbformat's version, to know that it is in a notebook that takes displayed objects.
    if getattr(module, "nbformat", None) is None:
        module.nbformat = SimpleNamespace(__version__="5.10.4")
