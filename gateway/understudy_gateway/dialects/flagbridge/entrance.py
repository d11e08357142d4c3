"""What needs no key: whether the gateway is there, and to log in."""

import hmac

from understudy_gateway.answers import Answer
from understudy_gateway.dialects.flagbridge import members, tokens
from understudy_gateway.dialects.flagbridge.asking import Asked, answer
from understudy_gateway.dialects.flagbridge.refusals import unauthorized
from understudy_gateway.transcoding import timestamps

_ROLE = "admin"


async def health(_asked: Asked) -> Answer:
    """Say that the gateway is there."""
    return answer({"status": "ok"})


async def log_in(asked: Asked) -> Answer:
    """Give a token to the one user who is configured."""
    sent = asked.members()
    email, password = members.required_text(sent, "email"), members.required_text(sent, "password")
    login, is_open = asked.settings.login, asked.settings.trusted is not None
    if login is None or not is_open or not _is_same(email.lower(), login.email.lower(), password, login.password):
        raise unauthorized("Email and password do not belong together.")
    token, ends = tokens.make(login.email, login.secret, asked.settings.clock())
    user = {"id": f"user_{login.email}", "email": login.email, "role": _ROLE}
    return answer({"token": token, "expiresAt": timestamps.write(ends, 0), "user": user})


def _is_same(email: str, own_email: str, password: str, own_password: str) -> bool:
    """Compare both, always, in a time that tells nothing."""
    same_email = hmac.compare_digest(email.encode(), own_email.encode())
    return hmac.compare_digest(password.encode(), own_password.encode()) and same_email
