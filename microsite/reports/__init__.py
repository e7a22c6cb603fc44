"""Across the offers: what each campaign brought, and how much came by when, from where and to what."""
