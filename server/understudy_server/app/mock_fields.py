"""What can be said of a mock: the fields that its message shares with those of manifests and of sessions' own mocks."""

from typing import Final

BESIDE_NAME: Final = ("matcher", "action", "priority", "tags", "lifetime", "machine", "chain", "annotations")
SETTABLE: Final = ("name", *BESIDE_NAME)
