"""Makes a project's templates in advance, and removes templates that are no longer used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_rewardkit.local.errors import BuildError
from pytest_rewardkit.local.templates.build import build
from pytest_rewardkit.local.templates.kept import kept_environments
from pytest_rewardkit.local.templates.named_template import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pytest_rewardkit.local.templates.named_template import NamedTemplate

_DAY: Final = 86400


def make_templates(templates: Mapping[str, NamedTemplate], names: Collection[str], say: Callable[[str], None]) -> int:
    """Make templates, and print where each is; return the exit status.

    Parameters:
        templates: all templates.
        names: the names of those to make; if empty, all.
        say: gets messages about slow steps and errors.
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


def remove_unused(names: Collection[str], days: int, *, yes: bool) -> int:
    """List environments in the cache, from all projects, and remove them with `yes`; return the exit status.

    Parameters:
        names: list only environments of these templates; if empty, of all.
        days: list only environments that have not been requested for this many days.
    """
    chosen = [kept for kept in kept_environments() if kept.idle >= days * _DAY and (not names or kept.title in names)]
    for kept in chosen:
        print(f"{kept.title}  {kept.bytes_on_disk / 2**20:,.0f} MiB  {_age(kept.idle)}  {kept.place}")
    print(f"{len(chosen)} unused, {sum(kept.bytes_on_disk for kept in chosen) / 2**20:,.0f} MiB")
    if not yes:
        if chosen:
            print("--yes removes them")
        return 0
    in_use = [kept for kept in chosen if not kept.remove()]
    for kept in in_use:
        print(f"{kept.place} is in use, or another user's")
    print(f"removed {len(chosen) - len(in_use)}")
    return 1 if in_use else 0


def _age(seconds: float) -> str:
    return f"{seconds / _DAY:,.0f} days ago" if seconds >= _DAY else "today"
