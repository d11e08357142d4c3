"""Each row of numbers says whether its proof held."""

from support.proof_verdicts import pytest_runtest_makereport

__all__ = ["pytest_runtest_makereport"]
