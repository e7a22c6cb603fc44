"""What an operator runs: checks, backups and restores of an installation."""
