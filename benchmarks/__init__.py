"""How long the desk's pages take on a large database: python -m benchmarks --help."""
