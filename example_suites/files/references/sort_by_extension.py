from pathlib import Path

inbox = Path("inbox")
for path in list(inbox.iterdir()):
    if path.is_file() and path.suffix:
        folder = inbox / path.suffix.lstrip(".").lower()
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
