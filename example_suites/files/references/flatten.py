from pathlib import Path

flat = Path("flat")
flat.mkdir(exist_ok=True)
for path in sorted(Path("tree").rglob("*")):
    if path.is_file():
        path.rename(flat / "-".join(path.relative_to("tree").parts))
