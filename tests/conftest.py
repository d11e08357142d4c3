import os

import pytest
from hypothesis import settings

# What the tests share asserts as they do; its failures are to be as readable. It must be named before it is imported.
pytest.register_assert_rewrite("support")

# A test of a property looks at so many examples in every run, and at four times as many in `make prove`; where it says
# how many, at those.
settings.register_profile("every run", max_examples=25)
settings.register_profile("proof", max_examples=100)
settings.load_profile("proof" if os.environ.get("UNDERSTUDY_PROVE") == "1" else "every run")
