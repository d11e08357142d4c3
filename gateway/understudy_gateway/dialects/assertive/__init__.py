"""The Assertive dialect: what its users send and see, and what that is here.

First the translation, which asks nobody: ``reading`` makes JSON of a body, ``payloads`` says what is wrong with it,
``stubs`` makes a mock of it, and ``requests`` and ``asserting`` are about what was called. Then the door (``door``),
which has it done by the server's RPCs: ``control`` says which requests are its own, ``doorkeeper`` takes them, and
``scopes``, ``kept_stubs`` and ``record`` ask the server. ``loading`` is the start, and ``deviations`` lists where the
product is not met exactly.
"""
