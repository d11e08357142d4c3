"""Definitions that cannot be compiled, as an error of the request that brought them."""

from collections.abc import Iterator
from contextlib import contextmanager

from understudy_server.core.errors import Fault, InvalidInput
from understudy_server.definitions.unusable import Unusable


@contextmanager
def refusing_unusable() -> Iterator[None]:
    """Raise InvalidInput with the place of the fault where the block raises Unusable."""
    try:
        yield
    except Unusable as error:
        raise InvalidInput(str(error), Fault(error.path, error.rule, given=error.given[:100])) from error
