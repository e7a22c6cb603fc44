"""On which databases a test runs, where not on both each time."""

import pytest

# What it shows is decided in Python, whatever the database: on PostgreSQL only for `make test-all`.
mostly_sqlite = pytest.mark.parametrize("engine_name", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
