"""Bytes of an upstream in, one answer after the other out. No sockets here.

Interim answers (1xx) are skipped. An answer that can be framed in two ways, that breaks off, or that switches protocols
although nothing was offered, is at fault: it must not be relayed as if it were whole. A connection whose upstream has
said more than it was asked for is not fit for another request.
"""

import re
from functools import lru_cache
from typing import Final

import httptools

from understudy_server.core.redaction import SECRET_HEADERS
from understudy_server.proxy.forwarding import HOP_BY_HOP, PLAIN, named_in_connection
from understudy_server.proxy.memo import MESSAGE_BYTES_MAX, MISSES_MAX, Memo
from understudy_server.proxy.messages import AnswerHead, Header
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.spellings import Spellings

INTERIM_MAX: Final = 16
"""More interim answers before one final answer are a fault."""

# What a header means here.
_LENGTH, _CODING, _CONNECTION, _UPGRADE, _DROPPED, _TYPE, _CONTENT_CODING, _SECRET, _TRAILER = range(1, 10)
_MEANINGS: Final = Spellings(
    {
        **dict.fromkeys(HOP_BY_HOP, _DROPPED),
        **dict.fromkeys(SECRET_HEADERS - HOP_BY_HOP, _SECRET),
        b"content-length": _LENGTH,
        b"transfer-encoding": _CODING,
        b"connection": _CONNECTION,
        b"upgrade": _UPGRADE,
        b"content-type": _TYPE,
        b"content-encoding": _CONTENT_CODING,
    }
)


class _Trailers(Spellings):
    """After the head nothing is a header any more."""

    def __missing__(self, spelling: bytes) -> int:
        return _TRAILER


_TRAILERS: Final = _Trailers({})
_BODILESS: Final = frozenset({101, 204, 304})
# A length there would make some clients wait for a body. Source: RFC 9110, section 8.6.
_WITHOUT_LENGTH: Final = frozenset({101, 204})
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_new: Final = object.__new__
_BLANKS: Final = b" \t"


_END: Final = b"\r\n\r\n"

Answer = tuple[AnswerHead, bytes | None]
"""An answer: its head, and its body without transfer coding; ``None``: as many bytes as the head says follow it."""


class ResponseParser:
    """Parses the answers on one connection. After `begin` and each `feed` the attributes say what there is.

    It is its own listener at httptools: the ``on_`` methods are not for others.
    """

    __slots__ = (
        "_blanks",
        "_codings",
        "_connection",
        "_draft",
        "_fed",
        "_headers",
        "_interim",
        "_is_head",
        "_lines",
        "_meaning_of",
        "_memo",
        "_misses",
        "_parser",
        "_pieces",
        "_settings",
        "_spent",
        "_upgrades",
        "anything",
        "complete",
        "fault",
        "framed",
        "head",
        "rest",
        "reusable",
    )

    def __init__(self, settings: ProxySettings, memo: Memo[Answer] | None = None) -> None:
        self._settings = settings
        self._memo = memo
        self._misses = 0
        self._pieces: list[bytes] = []
        self._spent = False
        self._blanks = False
        self._parser = httptools.HttpResponseParser(self)
        self._forget_head()
        self.begin("GET")

    def begin(self, method: str, *, upgrade: bool = False) -> None:
        """Expect the answer to a request of this method. ``upgrade``: it may switch protocols."""
        if self._spent:
            # The parser believes that a body follows the head it read, as it would after GET.
            self._parser = httptools.HttpResponseParser(self)
            self._spent = False
        self._is_head = method == "HEAD"
        self._upgrades = upgrade
        self._interim = 0
        self._fed = 0
        self._pieces.clear()
        self.head: AnswerHead | None = None
        """The head of the final answer, once it is here."""
        self.anything = False
        """True once a byte has come."""
        self.complete = False
        """True once the answer is whole."""
        self.framed = False
        """True when the answer says where it ends."""
        self.fault = ""
        """Why it cannot be relayed any further: a sentence."""
        self.reusable = True
        """False when no other request may be sent on the connection, even once the answer is whole."""
        self.rest = b""
        """What came after a switch of protocols."""

    def take(self) -> bytes:
        """The bytes of the body that came since this was last asked, transfer coding taken off."""
        pieces = self._pieces
        if not pieces:
            return b""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return data

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        memo = None if self.anything or self._is_head or self._upgrades else self._memo
        if memo is not None and self._recall(memo, data):
            return
        # Values can end in blanks only if they stand before an end of line, which may be in another piece.
        self._blanks = self.anything or b" \r\n" in data or b"\t\r\n" in data
        self.anything = True
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stopped:
            # What follows a switch is no longer HTTP. Of an answer that switches unasked the fault is noted already.
            self.rest = data[stopped.args[0] :]
            self.reusable = False
        except httptools.HttpParserCallbackError:
            if not (self.fault or self.complete):
                raise
        except httptools.HttpParserError as error:
            # What follows a whole answer is of no interest, but the connection is not used again.
            self.reusable = False
            self._fail(f"it is not HTTP: {error}")
        if self._pieces or self.complete:
            self._fed = 0
        elif self._fed > 2 * self._settings.head_bytes_max:
            # The parser holds back a line until it is whole, so endless lines must be noticed from outside.
            self._fail("its headers are too long")
        if memo is not None:
            self._remember(memo, data)

    def _recall(self, memo: Memo[Answer], data: bytes) -> bool:
        """Take an answer that was read before, or such a head with the body that it announces. False: it is neither."""
        end = data.find(_END) + len(_END)
        known = memo.get(data[:end])
        if end != len(data) and (known is None or known[1] is not None):
            # Not a head: what it begins with may be a whole answer by itself, and this would be what follows it.
            known = memo.get(data)
        if known is None:
            return False
        head, body = known
        if body is None:
            body = data[end:]
            if len(body) != head.length:
                return False
        self._misses = 0
        self.head = head
        if body:
            self._pieces.append(body)
        # How it is framed matters no more.
        self.anything = self.complete = True
        return True

    def _remember(self, memo: Memo[Answer], data: bytes) -> None:
        """Remember an answer if it came whole and alone; give up on an upstream that never repeats one."""
        self._misses += 1
        if self._misses > MISSES_MAX:
            self._memo = None
        elif self.complete and self.reusable and self.head is not None:
            head, end = self.head, data.find(_END) + len(_END)
            # Bodies differ more often than heads do, and what is between the two says all about both.
            is_told = head.length is not None and not (head.chunked or head.bodiless or self._interim)
            if is_told and end <= MESSAGE_BYTES_MAX:
                head.repeats = True
                memo.put(data[:end], (head, None))
            elif len(data) <= MESSAGE_BYTES_MAX:
                head.repeats = True
                memo.put(data, (head, b"".join(self._pieces)))

    def end(self) -> None:
        """Take note that the upstream has closed: that may be how its answer ends."""
        self.reusable = False
        if self.complete or self.fault:
            return
        if self.head is None:
            self._fail("the connection was closed before it came")
        elif self.framed:
            self._fail("it broke off")
        else:
            self.complete = True

    def _fail(self, fault: str) -> None:
        """Note a fault, unless the answer was whole before it."""
        if not self.complete and not self.fault:
            self.fault = fault

    def _object(self, objection: str) -> None:
        self._fail(objection)
        raise _Stop

    def _forget_head(self) -> None:
        # Past the constructor, which would set what stands in the class: this is done for every answer.
        self._draft = draft = _new(AnswerHead)
        self._headers = draft.headers = list[Header]()
        self._meaning_of: Spellings = _MEANINGS
        self._lines = 0
        """How many lines went no further."""
        self._codings = 0
        self._connection: tuple[bytes, ...] = ()

    def on_message_begin(self) -> None:
        if self.complete:
            # More than was asked for: it is nobody's answer.
            self.reusable = False
            raise _Stop
        self._forget_head()

    def on_status(self, part: bytes) -> None:
        self._draft.reason = (self._draft.reason or b"") + part

    def on_header(self, name: bytes, value: bytes) -> None:
        meaning = self._meaning_of[name]
        if meaning == _LENGTH:
            # Checked by the parser. Written anew, because leading zeros are an octal number to some.
            length = self._draft.length = int(value)
            self._headers.append((name, b"%d" % length))
        elif not meaning or self._note(meaning, value):
            self._headers.append((name, value))

    def _note(self, meaning: int, value: bytes) -> bool:
        """Note what the proxy itself goes by. False for what goes no further."""
        if self._blanks:
            value = value.rstrip(_BLANKS)
        draft = self._draft
        if meaning == _TYPE:
            draft.content_type = draft.content_type or value
        elif meaning == _CONTENT_CODING:
            draft.content_coding = draft.content_coding or value
        elif meaning == _SECRET:
            draft.has_secrets = True
        elif meaning == _TRAILER:
            # Read, so that it ends somewhere, and left out.
            self._lines += 1
            if self._lines > self._settings.headers_max:
                self._object("its trailers are too long")
            return False
        else:
            self._lines += 1
            if meaning == _CODING:
                self._codings += 1
                draft.chunked = value.lower() == b"chunked"
            elif meaning == _CONNECTION and value.lower() not in PLAIN:
                self._connection += (value,)
            elif meaning == _UPGRADE:
                draft.upgrade = draft.upgrade or value
            return False
        return True

    def on_headers_complete(self) -> None:
        draft = self._draft
        status = draft.status = self._parser.get_status_code()
        if self._fed > self._settings.head_bytes_max or self._lines + len(self._headers) > self._settings.headers_max:
            self._check_size()
        if status < 200 and status != 101:
            self._pass_over_interim(status)
            return
        if status == 101 and not self._upgrades:
            self._object("it switches protocols")
        if self._codings and (self._codings > 1 or not draft.chunked):
            self._object("its transfer coding is not known here")
        self.framed = draft.chunked or draft.length is not None
        self._meaning_of = _TRAILERS
        if not self._parser.should_keep_alive():
            self.reusable = False
        draft.reason = _readable(draft.reason or b"")
        if self._blanks or self._connection or status in _BODILESS:
            self._leave_out(draft)
        if self._is_head:
            draft.bodiless = True
            if status not in _BODILESS:
                self.complete = self._spent = True
        self.head = draft

    def _pass_over_interim(self, status: int) -> None:
        self._interim += 1
        if status < 100:
            self._object("its status is none")
        if self._draft.length or self._codings:
            self._object("an interim answer of it has a body")
        if self._interim > INTERIM_MAX:
            self._object("it has too many interim answers")

    def _leave_out(self, draft: AnswerHead) -> None:
        """Do what few heads need: take off white space, and leave out what Connection names or the status forbids."""
        left_out, status = named_in_connection(self._connection), draft.status
        if status in _BODILESS:
            draft.bodiless = True
            if self._codings or (draft.length and status in _WITHOUT_LENGTH):
                # A body may follow all the same, and would be taken for the next answer.
                self.reusable = False
        if status in _WITHOUT_LENGTH:
            left_out |= {b"content-length"}
        # The parser takes off the white space in front alone.
        draft.headers = [(name, value.rstrip(_BLANKS)) for name, value in draft.headers if name.lower() not in left_out]
        # What still comes are trailers, which are not kept.
        self._headers = []

    def _check_size(self) -> None:
        settings = self._settings
        if self._lines + len(self._headers) > settings.headers_max:
            self._object("it has too many headers")
        if sum([len(name) + len(value) + 4 for name, value in self._headers]) > settings.head_bytes_max:
            self._object("its headers are too long")

    def on_body(self, part: bytes) -> None:
        if self.complete:
            # HEAD and yet a body.
            self.reusable = False
            raise _Stop
        self._pieces.append(part)

    def on_message_complete(self) -> None:
        if self.head is not None:
            self.complete = True


@lru_cache(maxsize=256)
def _readable(reason: bytes) -> bytes | None:
    """A reason phrase as it may be passed on; ``None`` for one with control characters, which terminals obey."""
    return None if _CONTROL.search(reason) else reason


class _Stop(Exception):
    """Raised in a callback to make the parser stop."""
