"""Makes a project's templates before anybody waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rewardkit.local.errors import BuildError
from pytest_rewardkit.local.templates.build import build
from pytest_rewardkit.local.templates.named_template import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pytest_rewardkit.local.templates.named_template import NamedTemplate


def make_templates(templates: Mapping[str, NamedTemplate], names: Collection[str], say: Callable[[str], None]) -> int:
    """Make them, and print where each is; returns the exit status.

    Parameters:
        templates: those that there are.
        names: which to make; all without any.
        say: told what takes long, and what is wrong.
    """
    status = 0
    for name in names or templates:
        try:
            if name not in templates:
                raise BuildError(f"there is no template {name!r}{nearest(name, templates)}")
            print(f"{name}: {build(templates[name], say).python}")
        except BuildError as error:
            say(str(error))
            status = 1
    return status
