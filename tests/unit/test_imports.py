"""The imports between modules, compared with the table in docs/architecture.md; and the package's exports."""

import ast
import re
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from docs.pages import ROOT, tables

import pytest_rewardkit

PACKAGE = Path(pytest_rewardkit.__file__).parent
HEAVY = {"e2b", "e2b_code_interpreter", "httpx", "asyncio", "aiohttp", "IPython"}
TEST_RUNNER = {"pytest", "_pytest", "pluggy", "xdist"}


def modules(*places):
    """The source files at these places, including subfolders."""
    found = []
    for place in places:
        path = PACKAGE / place
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        assert all(file.is_file() for file in files), place
        found += files
    return found


def imported(path, *, deferred):
    """The names that a module imports: at import time, or with `deferred` at any time; not only for type checkers."""
    names = set()

    def visit(node):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for child in node.orelse:
                visit(child)
            return
        if not deferred and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return names


def modules_behind(path, known):
    """The modules among `known` that a module imports at any time, also for types."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found.update(name if name in known else node.module for name in names)
    return found & known


def of_packages(names, packages):
    return {name for name in names if name.partition(".")[0] in packages}


def inside(names, *prefixes):
    return {name for name in names for prefix in prefixes if name == prefix or name.startswith(f"{prefix}.")}


@pytest.mark.parametrize(
    "path",
    modules(
        "reward.py",
        "errors.py",
        "text.py",
        "markers.py",
        "scorers/values/compare.py",
        "scorers/response/extract.py",
        "ledger/record.py",
        "run/worker/recorder.py",
        "ledger/ledger.py",
        "ledger/gates.py",
        "reports",
    ),
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_pure_modules_know_neither_pytest_nor_sandboxes(path):
    names = imported(path, deferred=True)
    assert not of_packages(names, TEST_RUNNER | HEAVY)
    assert not inside(
        names, *(f"pytest_rewardkit.{name}" for name in ("plugin", "fixtures", "run.provision", "sandboxes", "local"))
    )


@pytest.mark.parametrize("path", modules("local"), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_local_server_imports_nothing_of_ours_from_outside(path):
    names = imported(path, deferred=True)
    ours = of_packages(names, {"pytest_rewardkit"})
    assert ours == inside(ours, "pytest_rewardkit.local")
    assert not of_packages(names, TEST_RUNNER | {"e2b", "e2b_code_interpreter"})


@pytest.mark.parametrize("path", modules("scorers"), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_scorers_know_nothing_of_the_test_runner(path):
    names = imported(path, deferred=True)
    assert not of_packages(names, TEST_RUNNER)
    assert not inside(names, "pytest_rewardkit.plugin", "pytest_rewardkit.fixtures", "pytest_rewardkit.run")


@pytest.fixture(scope="module")
def graph():
    """Each module, mapped to our modules that it imports at any time, also for types."""
    paths = {}
    for path in modules("."):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return {name: modules_behind(path, paths.keys()) - {name} for name, path in paths.items()}


def arrows(graph, parts):
    """Each part, mapped to the parts that it imports. A module belongs to the part with the longest matching name."""

    def part_of(module):
        path = "/".join(module.split(".")[1:])
        found = [part for part in parts if path == part or path.startswith(f"{part}/")]
        assert found, f"docs/architecture.md has no row for {path}"
        return max(found, key=len)

    found = {part: set() for part in parts}
    for module, others in graph.items():
        # The package itself only re-exports names for users, and has a place on the disk.
        if module != PACKAGE.name:
            found[part_of(module)].update(part_of(other) for other in others - {PACKAGE.name})
    return {part: others - {part} for part, others in found.items()}


def test_no_module_imports_what_imports_it(graph):
    """Not even for types, and however many modules lie between."""
    TopologicalSorter(graph).prepare()


def test_parts_import_what_the_table_says(graph):
    rows = tables(ROOT / "docs" / "architecture.md", "Who imports whom")
    table = {part: set(re.findall(r"`([^`]+)`", cell)) for part, (cell,) in rows.items()}
    parts = arrows(graph, table)
    TopologicalSorter(parts).prepare()
    for part, allowed in table.items():
        assert not parts[part] - allowed, f"{part} imports what its row in docs/architecture.md does not name"
        assert not allowed - parts[part], f"{part} has more in its row in docs/architecture.md than it imports"


def test_rows_of_the_table_go_from_the_bottom_up():
    rows = tables(ROOT / "docs" / "architecture.md", "Who imports whom")
    for place, (part, (cell,)) in enumerate(rows.items()):
        assert set(re.findall(r"`([^`]+)`", cell)) <= set(list(rows)[:place]), part


def test_arrows_between_parts():
    """The import reader that the tests above rely on."""
    graph = {
        "pytest_rewardkit": {"pytest_rewardkit.run.worker"},
        "pytest_rewardkit.run": set(),
        "pytest_rewardkit.run.worker": {"pytest_rewardkit.text", "pytest_rewardkit.run"},
        "pytest_rewardkit.text": {"pytest_rewardkit"},
    }
    assert arrows(graph, ["run", "text"]) == {"run": {"text"}, "text": set()}
    assert arrows(graph, ["run", "run/worker", "text"]) == {"run": set(), "run/worker": {"run", "text"}, "text": set()}
    with pytest.raises(AssertionError, match="no row for text"):
        arrows(graph, ["run"])


def test_what_every_session_loads_is_light():
    """Importing the plugin loads only pytest and the standard library, directly and indirectly."""
    seen, queue = set(), ["pytest_rewardkit.plugin"]
    while queue:
        module = queue.pop()
        path = PACKAGE.parent.joinpath(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if module in seen or not path.is_file():
            continue
        seen.add(module)
        names = imported(path, deferred=False)
        assert not of_packages(names, HEAVY), module
        queue += of_packages(names, {"pytest_rewardkit"})
        foreign = {name.partition(".")[0] for name in names} - {"pytest_rewardkit", "pytest"}
        assert foreign <= sys.stdlib_module_names, module
    assert "pytest_rewardkit.run.worker.recorder" in seen
    assert not inside(seen, "pytest_rewardkit.reward", "pytest_rewardkit.sandboxes", "pytest_rewardkit.reports")


def test_public_names_are_there_and_listed_once():
    assert sorted(set(pytest_rewardkit.__all__)) == sorted(pytest_rewardkit.__all__)
    assert dir(pytest_rewardkit) == sorted(pytest_rewardkit.__all__)
    for name in pytest_rewardkit.__all__:
        assert getattr(pytest_rewardkit, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Rewart'"):
        pytest_rewardkit.Rewart  # noqa: B018


def test_type_checkers_see_the_public_names():
    source = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    block = next(n for n in source.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    seen = [alias.asname or alias.name for node in block.body for alias in node.names]
    assert sorted(seen) == sorted(pytest_rewardkit.__all__)
