"""Across: what people decide about their own data, behind the links that they are mailed."""
