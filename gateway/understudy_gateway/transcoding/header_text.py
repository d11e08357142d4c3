"""The value of a header as text, the same wherever the gateway reads one: the proxy reads session keys so too."""


def text_of(raw: bytes) -> str:
    """Read a header's bytes: as UTF-8 when they are, else as Latin-1. Never fails."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
