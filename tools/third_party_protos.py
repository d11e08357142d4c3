"""Copy the Google API protos that ours import into ``build/proto``, where buf looks for them.

They come from the installed ``googleapis-common-protos``, so that the repository carries no third-party file.
"""

import shutil
from pathlib import Path

import google.api

TARGET = Path(__file__).resolve().parent.parent / "build" / "proto" / "google" / "api"
NAMES = ("annotations.proto", "field_behavior.proto", "http.proto", "httpbody.proto")


def main() -> None:
    """Copy them anew."""
    source = Path(next(iter(google.api.__path__)))
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        shutil.copyfile(source / name, TARGET / name)


if __name__ == "__main__":
    main()
