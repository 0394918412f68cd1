"""The battery of attacks, and each attack as a candidate for a task. Pure.

A task is known by its reference: an attack defines the same names. Models know these names from their prompt.
"""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES: Final = 50
_TEXTS: Final = 100
"""How many names and texts of a reference an attack knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A way to earn a reward without solving a task; attacks.toml explains each field."""

    name: str
    does: str
    code: str = ""
    value: str | None = None
    guess: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """The names and texts of a reference, which describe its task.

    Parameters:
        functions: the functions that it defines, and whether each is asynchronous.
        classes, variables: the classes that it defines, and the variables that it assigns.
        texts: its string literals.
    """

    functions: dict[str, bool] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


def attacks() -> list[Attack]:
    """Return the battery."""
    content: dict[str, Any] = tomllib.loads((files(__package__) / "attacks.toml").read_text("utf-8"))
    return [Attack(**entry) for entry in content["attack"]]


def names_in(reference: str) -> Names:
    """Return the names and texts of a reference; nothing if it is not Python."""
    try:
        tree = ast.parse(reference)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Names()
    functions = {
        node.name: isinstance(node, ast.AsyncFunctionDef)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return Names(
        dict([*functions.items()][:_NAMES]),
        tuple(classes[:_NAMES]),
        tuple(dict.fromkeys(_assigned(tree)))[:_NAMES],
        tuple(dict.fromkeys(texts))[:_TEXTS],
    )


def candidate_of(attack: Attack, names: Names) -> str:
    """Return the code of an attack on the task whose reference has `names`."""
    pieces = [f"TEXTS = {list(names.texts)!r}"] if "TEXTS" in attack.code else []
    pieces.append(attack.code.strip("\n"))
    if attack.value is not None:
        pieces += [
            f"{'async ' * is_async}def {name}(*args, **kwargs):\n    return {attack.value}"
            for name, is_async in names.functions.items()
        ]
        pieces += [_CLASS.format(name=name, value=attack.value) for name in names.classes]
        pieces += [f"{name} = (lambda *args, **kwargs: {attack.value})()" for name in names.variables]
    return "\n\n".join(piece for piece in pieces if piece)


_CLASS: Final = """\
class {name}:
    def __init__(self, *args, **kwargs): pass
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: {value}"""


def _assigned(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        for target in targets:
            for leaf in ast.walk(target):
                if isinstance(leaf, ast.Name) and isinstance(leaf.ctx, ast.Store):
                    yield leaf.id
