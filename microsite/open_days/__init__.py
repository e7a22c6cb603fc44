"""Offer: open days, their slots, and registering without ever overselling a seat."""
