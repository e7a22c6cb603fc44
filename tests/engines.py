"""On which databases a test runs, where not on both each time."""

import pytest

# What it shows is decided in Python, or by SQL that a test beside it runs on both: on PostgreSQL for `make test-all` only.
mostly_sqlite = pytest.mark.parametrize("engine_name", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
