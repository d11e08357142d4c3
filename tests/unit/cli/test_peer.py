from pathlib import Path

import pytest
from support.tls import Authority
from understudy_server.cli.addresses import Address
from understudy_server.cli.peer import read_peer


def test_a_bare_address_is_spoken_to_plainly() -> None:
    peer = read_peer("a:1")
    assert (peer.address, peer.credentials, str(peer)) == (Address("a", 1), None, "a:1")


def test_the_scheme_asks_for_tls(tmp_path: Path) -> None:
    peer = read_peer("grpcs://a:1", str(Authority.make(tmp_path).file))
    assert peer.credentials is not None
    assert (peer.address, str(peer)) == (Address("a", 1), "grpcs://a:1")


def test_authorities_do_not_make_a_bare_address_secure(tmp_path: Path) -> None:
    assert read_peer("a:1", str(Authority.make(tmp_path).file)).credentials is None


@pytest.mark.parametrize("text", ["http://a:1", "https://a:1", "grpc://a:1"])
def test_another_scheme_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="is not a gRPC server: give HOST:PORT, or grpcs://HOST:PORT for TLS"):
        read_peer(text)


@pytest.mark.parametrize("text", ["a", "grpcs://a", "grpcs://a:1/path", "grpcs://"])
def test_what_has_no_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        read_peer(text)


def test_authorities_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*none\.pem"):
        read_peer("grpcs://a:1", str(tmp_path / "none.pem"))
