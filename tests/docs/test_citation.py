"""CITATION.cff names the release that pyproject.toml makes."""

import re
import tomllib

from docs.pages import ROOT


def test_the_version_is_the_package_s():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert re.findall(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.M) == [version]
