import pytest

# What the tests share asserts as they do; its failures are to be as readable. It must be named before it is imported.
pytest.register_assert_rewrite("support")
