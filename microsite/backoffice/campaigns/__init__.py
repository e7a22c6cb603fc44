"""Campaigns: planned, copied, printed and previewed; the sites that may frame the forms."""
