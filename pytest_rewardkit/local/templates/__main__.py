"""Makes one template for a server: ``python -m pytest_rewardkit.local.templates NAME``.

It reads the templates, which may hold passwords, from standard input. Each line of its output is JSON: a text for
people, or at the end the environment.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from pytest_rewardkit.local.errors import BuildError
from pytest_rewardkit.local.templates.build import build
from pytest_rewardkit.local.templates.named_template import templates_of


def main(name: str) -> int:
    """Make it; return the exit status."""
    try:
        environment = build(
            templates_of(sys.stdin.read())[name], lambda line: print(json.dumps({"line": line}), flush=True)
        )
    except BuildError as error:
        print(json.dumps({"error": str(error)}))
        return 1
    print(json.dumps({"environment": asdict(environment)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
