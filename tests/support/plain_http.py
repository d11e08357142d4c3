"""What clients of plain HTTP give to httpx."""

import ssl

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For ``verify``: trusts nobody. Else every client reads whom the system trusts, which takes longer than most tests."""
