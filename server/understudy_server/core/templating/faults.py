"""What is wrong with a template, or with one rendering of it. Both messages are fit to be shown."""


class BadTemplate(ValueError):
    """The text is no template. ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"{message} (line {line})")
        self.line = line


class Misplaced(BadTemplate):
    """A tag cannot stand where it does, or is none; ``word`` is empty where the template ends within a block.

    ``sought`` are the words that would go on with each open block, or end it; of the innermost one they come last.
    """

    def __init__(self, message: str, line: int, word: str, sought: tuple[tuple[str, ...], ...]) -> None:
        super().__init__(message, line)
        self.word = word
        self.sought = sought


class Fault(Exception):
    """A template cannot be rendered this time. ``line`` counts from 1; 0 until it is known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line

    def __str__(self) -> str:
        return f"{self.message} (line {self.line})" if self.line else self.message
