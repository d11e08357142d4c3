"""A throw-away authority, with its certificates in files as a user would have them."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Authority:
    """Vouches for whom it likes. ``file`` has its own certificate."""

    folder: Path
    ca: trustme.CA
    file: Path

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        folder.mkdir(exist_ok=True)
        authority = cls(folder, trustme.CA(), folder / "ca.pem")
        authority.ca.cert_pem.write_to_path(str(authority.file))
        return authority

    def identity(self, name: str = LOOPBACK) -> Path:
        """Make a certificate for a name; returns a file with key and chain."""
        path = self.folder / f"{name}.pem"
        self.ca.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(str(path))
        return path

    def pair(self, name: str = LOOPBACK) -> tuple[Path, Path]:
        """Make a certificate for a name; returns a file with the chain and one with the key."""
        chain, key = self.folder / f"{name}-chain.pem", self.folder / f"{name}-key.pem"
        issued = self.ca.issue_cert(name)
        chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(key))
        return chain, key

    def trust(self) -> ssl.SSLContext:
        """What a client has that trusts this authority and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.ca.configure_trust(context)
        return context
