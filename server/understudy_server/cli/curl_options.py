"""A line of curl's, taken apart into its options, as far as they are known here.

Source: the manual of curl 8. What only says how curl works (what it prints, how it connects, what it trusts) is known
and means nothing for the request.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple


def _table(text: str) -> dict[str, str]:
    """Options by their long names, with the letter that some have: from ``name/letter`` and ``name``."""
    pairs = (word.partition("/") for word in text.split())
    return {name: letter for name, _, letter in pairs}


_TELLING_WITH_VALUE: Final = _table(
    "request/X header/H data/d data-ascii data-raw data-binary data-urlencode json cookie/b user/u oauth2-bearer"
    " user-agent/A referer/e range/r url"
)
_TELLING: Final = _table("get/G head/I compressed path-as-is")
_HARMLESS_WITH_VALUE: Final = _table(
    "output/o write-out/w max-time/m proxy/x proxy-user/U cert/E dump-header/D cookie-jar/c speed-limit/Y speed-time/y"
    " cacert capath cert-type ciphers key key-type pass tls-max tls13-ciphers connect-timeout connect-to interface"
    " local-port keepalive-time noproxy resolve dns-servers doh-url expect100-timeout happy-eyeballs-timeout-ms"
    " limit-rate max-filesize max-redirs output-dir proxy-header rate retry retry-delay retry-max-time stderr trace"
    " trace-ascii unix-socket"
)
_HARMLESS: Final = _table(
    "insecure/k silent/s show-error/S verbose/v location/L include/i fail/f no-buffer/N globoff/g progress-bar/#"
    " ipv4/4 ipv6/6 http1.0/0 tlsv1/1 remote-name/O remote-header-name/J remote-time/R junk-session-cookies/j disable/q"
    " parallel/Z basic create-dirs fail-early fail-with-body http0.9 http1.1 http2 http2-prior-knowledge http3"
    " location-trusted no-alpn no-keepalive no-progress-meter no-sessionid post301 post302 post303 raw remote-name-all"
    " retry-all-errors retry-connrefused ssl-no-revoke styled-output tcp-fastopen tcp-nodelay tlsv1.0 tlsv1.1 tlsv1.2"
    " tlsv1.3 trace-time"
)
_TAKES_VALUE: Final = {
    **dict.fromkeys((*_TELLING_WITH_VALUE, *_HARMLESS_WITH_VALUE), True),
    **dict.fromkeys((*_TELLING, *_HARMLESS), False),
}
_BY_LETTER: Final = {
    letter: name
    for table in (_TELLING_WITH_VALUE, _TELLING, _HARMLESS_WITH_VALUE, _HARMLESS)
    for name, letter in table.items()
    if letter
}
_MEANING: Final = frozenset((*_TELLING_WITH_VALUE, *_TELLING))


class BadCurl(Exception):
    """The line cannot be understood. ``advice`` says what to write instead."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class Option(NamedTuple):
    """An option that says something about the request: its long name, and its value, empty where it takes none."""

    name: str
    value: str = ""


def options_of(words: Sequence[str]) -> Iterator[Option]:
    """Yield what a line says about the request, in order; what stands alone is a ``url``. Raises BadCurl.

    ``words`` are those behind the word curl.
    """
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        if word.startswith("--") and word != "--":
            yield from _meaning(_long(word[2:], word, rest))
        elif word.startswith("-") and word not in ("-", "--"):
            yield from _short(word[1:], rest)
        elif word != "--":
            yield Option("url", word)


def _long(name: str, word: str, rest: list[str]) -> Option:
    if name not in _TAKES_VALUE:
        raise _unknown(word)
    return Option(name, _value(word, rest) if _TAKES_VALUE[name] else "")


def _short(letters: str, rest: list[str]) -> Iterator[Option]:
    """Several letters may stand together; what takes a value takes all that follows it."""
    for at, letter in enumerate(letters):
        name = _BY_LETTER.get(letter)
        if name is None:
            raise _unknown(f"-{letter}")
        if _TAKES_VALUE[name]:
            yield from _meaning(Option(name, letters[at + 1 :] or _value(f"-{letter}", rest)))
            return
        yield from _meaning(Option(name))


def _value(word: str, rest: list[str]) -> str:
    if not rest:
        raise BadCurl(f"curl's {word} has no value", "Write it behind the option.")
    return rest.pop()


def _meaning(option: Option) -> Iterator[Option]:
    if option.name in _MEANING:
        yield option


def _unknown(word: str) -> BadCurl:
    known = " ".join(
        f"-{letter}" if letter else f"--{name}" for name, letter in (*_TELLING_WITH_VALUE.items(), *_TELLING.items())
    )
    return BadCurl(
        f"curl's {word} is not known here",
        f"Leave it out, or say the same with what is known: {known}, and what says only how curl works.",
    )
