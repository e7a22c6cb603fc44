"""Across the offers: leads out as CSV, one row a submission."""
