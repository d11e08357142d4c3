"""A head for the upstream that is put together of one before is the one that would be written in full."""

from hypothesis import given
from hypothesis import strategies as st
from understudy_server.proxy.forwarding import Origin, Upstream, request_head
from understudy_server.proxy.heads import Heads
from understudy_server.proxy.messages import ClientRequest, Header

_NAMES = ["Host", "traceparent", "Traceparent", "Accept", "TE", "Keep-Alive", "Expect", "x-flowmock-session", "x-named"]
_DIFFERS = frozenset({b"traceparent", b"te", b"x-named", b"accept"})
_UPSTREAMS = [
    Upstream(Origin(tls=False, host="192.0.2.1", port=80), b"192.0.2.1", "/base"),
    Upstream(Origin(tls=True, host="a.example", port=8443), b"a.example:8443", ""),
]


def _request(headers: list[Header]) -> ClientRequest:
    request = ClientRequest()
    request.method, request.target, request.headers, request.differs = "GET", "/x", headers, _DIFFERS
    request.connection_values = (b"keep-alive, x-named",)
    return request


@given(
    st.lists(st.sampled_from(_NAMES), max_size=7),
    st.lists(st.lists(st.binary(max_size=5), min_size=7, max_size=7), min_size=1, max_size=4),
    st.lists(
        st.tuples(st.sampled_from(_UPSTREAMS), st.sampled_from([b"", b"x-flowmock-session"])), min_size=4, max_size=4
    ),
)
def test_head_is_as_if_written_in_full(
    names: list[str], rows: list[list[bytes]], places: list[tuple[Upstream, bytes]]
) -> None:
    heads = Heads()
    for values, (upstream, stripped) in zip(rows, places, strict=False):
        headers = [
            # What may differ is whatever a client sends: all but what would end the line.
            (name.encode(), value.translate(None, b"\r\n\0") if name.lower().encode() in _DIFFERS else b"same")
            for name, value in zip(names, values, strict=False)
        ]
        request = _request(headers)
        written = heads.write(request, "/x?a=1", upstream, stripped)
        assert written == request_head(request, "/x?a=1", upstream, stripped=stripped)
