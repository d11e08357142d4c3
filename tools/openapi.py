"""Write the OpenAPI document to ``docs/openapi.json``; ``--check`` only compares."""

import json
import sys
from pathlib import Path

from understudy_gateway.transcoding.openapi import document

TARGET = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def main() -> None:
    """Write the document, or with ``--check`` exit when it is not current."""
    fresh = json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(fresh, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != fresh:
        sys.exit("docs/openapi.json does not match proto/ (run `make proto`)")


if __name__ == "__main__":
    main()
