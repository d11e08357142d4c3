"""The Assertive dialect, as translation alone: what its users send and see, and what that is here.

Nothing here asks a server or is asked by one. ``reading`` makes JSON of a body, ``payloads`` says what is wrong with
it, ``stubs`` makes a mock of it, and ``requests`` and ``asserting`` are about what was called. ``deviations`` lists
where the product is not met exactly.
"""
