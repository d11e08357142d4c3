"""The Python client of Understudy: generated messages and stubs in ``understudy.v1``."""
