"""Write the pages of ``docs/reference``; ``--check`` only compares."""

import sys
from pathlib import Path

from reference_pages import cli, file, grpc, rest, settings

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
PAGES = {"rest": rest, "grpc": grpc, "file": file, "cli": cli, "settings": settings}


def main() -> None:
    """Write every page, or with ``--check`` exit when one is not current."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, source in PAGES.items():
        target = FOLDER / f"{name}.md"
        fresh = source.write()
        if "--check" not in sys.argv:
            target.write_text(fresh, encoding="utf-8")
        elif not target.exists() or target.read_text(encoding="utf-8") != fresh:
            sys.exit(f"docs/reference/{name}.md does not match its source (run `make proto`)")


if __name__ == "__main__":
    main()
