"""Packs the only module of this library as a wheel, with Python's standard library alone."""

import tomllib
from pathlib import Path
from zipfile import ZipFile


def build_wheel(directory, config_settings=None, metadata_directory=None):
    """Write the wheel into a directory, for installers; return its name."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    name, version = project["name"], project["version"]
    about = f"{name}-{version}.dist-info"
    wheel = f"{name}-{version}-py3-none-any.whl"
    with ZipFile(Path(directory, wheel), "w") as archive:
        archive.write(f"{name}.py")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return wheel
