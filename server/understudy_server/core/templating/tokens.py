"""The tokens of one tag, read one after the other."""

from understudy_server.core.templating.faults import BadTemplate
from understudy_server.core.templating.scanning import Kind, Token


class Tokens:
    """Where reading has come to in a tag."""

    __slots__ = ("_at", "_tokens")

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> Token:
        """The token that is to be read."""
        return self._tokens[self._at]

    @property
    def line(self) -> int:
        return self.next.line

    def take(self) -> Token:
        """Read a token; the last one again and again."""
        token = self._tokens[self._at]
        if token.kind is not Kind.END:
            self._at += 1
        return token

    def is_sign(self, *signs: str) -> bool:
        """Tell whether one of these signs is next."""
        token = self._tokens[self._at]
        return token.kind is Kind.SIGN and token.value in signs

    def is_name(self, *names: str) -> bool:
        """Tell whether one of these words is next."""
        token = self._tokens[self._at]
        return token.kind is Kind.NAME and token.value in names

    def take_sign(self, *signs: str) -> str | None:
        """Read one of these signs, if it is next."""
        return str(self.take().value) if self.is_sign(*signs) else None

    def take_name(self, *names: str) -> str | None:
        """Read one of these words, if it is next."""
        return str(self.take().value) if self.is_name(*names) else None

    def expect_sign(self, sign: str) -> None:
        """Read this sign. Raises BadTemplate."""
        if not self.take_sign(sign):
            raise self.misplaced(f"{sign!r}")

    def expect_word(self, word: str) -> None:
        """Read this word. Raises BadTemplate."""
        if not self.take_name(word):
            raise self.misplaced(f"{word!r}")

    def expect_name(self) -> str:
        """Read any name. Raises BadTemplate."""
        if self.next.kind is not Kind.NAME:
            raise self.misplaced("a name")
        return str(self.take().value)

    def expect_end(self) -> None:
        """The tag ends here. Raises BadTemplate."""
        if self.next.kind is not Kind.END:
            raise self.misplaced("the end of the tag")

    def misplaced(self, expected: str) -> BadTemplate:
        """What is next is not what should be."""
        token = self.next
        found = "the end of the tag" if token.kind is Kind.END else repr(token.value)
        return BadTemplate(f"{expected} should be where {found} is", token.line)
