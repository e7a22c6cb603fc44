"""Who works here: signing in and out, passwords, the second step, and the team's accounts."""
