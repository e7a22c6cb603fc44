"""The heart: people, what they sent, and what they agreed to."""
