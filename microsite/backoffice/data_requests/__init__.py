"""What people ask about their own data: answered within a month, by a copy or an erasure."""
