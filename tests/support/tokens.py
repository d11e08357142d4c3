"""Bearer tokens that nobody signed."""

import base64
import json


def token(claims: object, signature: str = "bm90IGNoZWNrZWQ") -> str:
    """Write a JWT with this payload."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
    return ".".join([*parts, signature])
