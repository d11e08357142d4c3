import pytest

pytest.register_assert_rewrite(
    "support.mirror", "support.store_units", "support.store_changes", "support.store_lists", "support.store_suite"
)
