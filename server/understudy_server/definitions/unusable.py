"""What is refused of a definition that no field's own limits show."""


class Unusable(ValueError):
    """A definition that cannot be compiled. The message is fit to be shown.

    ``path`` is that of the field at fault, ``rule`` a stable word for what it breaks.
    """

    def __init__(self, path: str, rule: str, message: str, given: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.rule = rule
        self.given = given
