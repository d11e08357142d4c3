"""Certificates as they are read from files."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from support.tls import LOOPBACK, Authority
from understudy_server.cli.tls import Identity, read_identity, read_trust


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path / "ours")


def handshake(identity: Identity, client: ssl.SSLContext) -> ssl.SSLObject:
    """Let a client and a listener shake hands in memory; returns the client's side. Raises ssl.SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(to_client, to_server, server_hostname=LOOPBACK)
    called = identity.context.wrap_bio(to_server, to_client, server_side=True)
    unfinished = [caller, called]
    while unfinished:
        for side in list(unfinished):
            try:
                side.do_handshake()
                unfinished.remove(side)
            except ssl.SSLWantReadError:
                pass
    return caller


def test_one_file_with_both_proves_who_we_are(authority: Authority) -> None:
    handshake(read_identity(str(authority.identity())), authority.trust())


def test_two_files_prove_who_we_are(authority: Authority) -> None:
    chain, key = authority.pair()
    handshake(read_identity(f"{chain},{key}"), authority.trust())


def test_another_authority_does_not_vouch_for_it(authority: Authority, tmp_path: Path) -> None:
    other = Authority.make(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(read_identity(str(authority.identity())), other.trust())


def test_a_client_that_offers_more_is_held_to_http_1_1(authority: Authority) -> None:
    client = authority.trust()
    client.set_alpn_protocols(["h2", "http/1.1"])
    assert handshake(read_identity(str(authority.identity())), client).selected_alpn_protocol() == "http/1.1"


def test_nothing_older_than_tls_1_2_is_spoken(authority: Authority) -> None:
    assert read_identity(str(authority.identity())).context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_key_is_not_shown(authority: Authority) -> None:
    assert "PRIVATE KEY" not in repr(read_identity(str(authority.identity())))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*none\.pem: No such file"):
        read_identity(str(tmp_path / "none.pem"))


def test_a_file_without_a_certificate_is_named(authority: Authority) -> None:
    _, key = authority.pair()
    with pytest.raises(ValueError, match=r"-key\.pem has no certificate in PEM form"):
        read_identity(str(key))


def test_a_file_without_a_key_is_named(authority: Authority) -> None:
    chain, _ = authority.pair()
    with pytest.raises(ValueError, match=r"-chain\.pem has no private key in PEM form; give one file with both, or"):
        read_identity(str(chain))


def test_a_key_of_another_certificate_is_refused(authority: Authority) -> None:
    (chain, _), (_, key) = authority.pair(), authority.pair("other.test")
    with pytest.raises(ValueError, match=r"the key in .*other\.test-key\.pem does not belong to the certificate in"):
        read_identity(f"{chain},{key}")


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_passphrase(authority: Authority) -> None:
    chain, key = authority.pair()
    plain = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    with pytest.raises(ValueError, match=r"the key in .*-key\.pem is encrypted; give one without a passphrase"):
        read_identity(f"{chain},{key}")


def test_a_damaged_certificate_is_refused_with_its_file(authority: Authority) -> None:
    chain, key = authority.pair()
    chain.write_bytes(chain.read_bytes().replace(b"MII", b"!!!"))
    with pytest.raises(ValueError, match=r"-chain\.pem cannot be used"):
        read_identity(f"{chain},{key}")


def test_further_authorities_are_trusted_beside_those_of_the_system(authority: Authority) -> None:
    trusted = read_trust(str(authority.file))
    handshake(read_identity(str(authority.identity())), trusted)
    assert trusted.cert_store_stats()["x509"] == ssl.create_default_context().cert_store_stats()["x509"] + 1


def test_a_file_without_authorities_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ValueError, match=r"ca\.pem has no certificate in PEM form"):
        read_trust(str(tmp_path / "ca.pem"))


def test_damaged_authorities_are_refused(authority: Authority) -> None:
    authority.file.write_bytes(authority.file.read_bytes().replace(b"MII", b"!!!"))
    with pytest.raises(ValueError, match=r"ca\.pem cannot be used"):
        read_trust(str(authority.file))
