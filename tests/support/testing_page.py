"""What FlagBridge's published page of the Testing API names by example, and what stands for it here."""

from collections.abc import Mapping
from typing import Any

from support.flagbridge import FlagBridge


class PutIn:
    """Puts host, key and project into examples of the page, and what earlier answers gave in place of its own."""

    def __init__(self, bridge: FlagBridge) -> None:
        self._meant = {
            "https://api.flagbridge.io": f"http://{bridge.server.rest}",
            "fb_sk_test_YOUR_KEY": bridge.key("test"),
            "proj_abc123": f"proj_{bridge.project}",
        }

    def session(self, made: Mapping[str, Any]) -> None:
        """From now on the page's session is this one."""
        # The longer first: the page's id is a part of its token.
        self._meant |= {"sess_abc123_xxxxxxxxxxx": made["token"], "sess_abc123": made["id"], "{id}": made["id"]}

    def text(self, example: str) -> str:
        """An example, as somebody would write it here."""
        for written, meant in self._meant.items():
            example = example.replace(written, meant)
        return example
