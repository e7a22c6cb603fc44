"""Which campaign brought whom, on one page."""
