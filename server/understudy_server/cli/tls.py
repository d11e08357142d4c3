"""Certificates from PEM files: what a listener proves itself with, and whom the proxy trusts as a client.

Files are read once, when settings are. A file that is changed later counts from the next start on.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_PRIVATE_KEY = b"PRIVATE KEY-----"


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """A certificate with its chain, and its key: whole PEM files for gRPC, a context for what speaks HTTP/1.1.

    Neither file is shown, since one with both is both.
    """

    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)
    context: ssl.SSLContext


def read_identity(text: str) -> Identity:
    """Read ``BOTH.pem`` or ``CERT.pem,KEY.pem``. Raises ValueError that names the file and what is wrong with it."""
    certificate_name, comma, key_name = text.partition(",")
    certificate = Path(certificate_name.strip())
    key = Path(key_name.strip()) if comma else certificate
    chain, secret = _read(certificate), _read(key)
    if _CERTIFICATE not in chain:
        raise ValueError(f"{certificate} has no certificate in PEM form")
    if _PRIVATE_KEY not in secret:
        raise ValueError(f"{key} has no private key in PEM form; give one file with both, or CERT.pem,KEY.pem")
    return Identity(chain, secret, _server_context(certificate, key))


def read_trust(text: str) -> ssl.SSLContext:
    """Trust what the system trusts, and the authorities in a PEM file too. Raises ValueError that names the file."""
    path = Path(text)
    read_authorities(path)
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(path)
    except OSError as error:
        raise _unusable(path, error) from error
    return context


def read_authorities(path: Path) -> bytes:
    """Read the certificates in a PEM file, as it stands. Raises ValueError that names the file."""
    found = _read(path)
    if _CERTIFICATE not in found:
        raise ValueError(f"{path} has no certificate in PEM form")
    return found


def _server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    def refuse_passphrase() -> str:
        # Without this, OpenSSL asks for it on the terminal and a start in the background hangs.
        raise ValueError(f"the key in {key} is encrypted; give one without a passphrase")

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, refuse_passphrase)
    except OSError as error:
        if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
            raise ValueError(f"the key in {key} does not belong to the certificate in {certificate}") from error
        raise _unusable(certificate, error) from error
    return context


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error


def _unusable(path: Path, error: OSError) -> ValueError:
    reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    return ValueError(f"{path} cannot be used: {reason or error}")
