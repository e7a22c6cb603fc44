"""Leads a second that one process alone writes, each in a transaction, as safely as the microsite does.

`python -m benchmarks.baselines.raw DATABASE SECONDS` prints it: a process of its own, whose disk can be made slow.
"""

import sys
import time

from microsite.sqlite_engine import sqlite


def main(database: str, seconds: str) -> None:
    connection = sqlite.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE leads (id INTEGER PRIMARY KEY, first_name, last_name, email UNIQUE, phone, programme)"
    )
    began, written = time.perf_counter(), 0
    while time.perf_counter() - began < int(seconds):
        answers = ("Zoé", "Lefèvre", f"zoe.{written}@exemple.fr", "+33612345678", "realisation")
        connection.execute(
            "INSERT INTO leads (first_name, last_name, email, phone, programme) VALUES (?, ?, ?, ?, ?)", answers
        )
        written += 1
    took = time.perf_counter() - began
    connection.close()
    sys.stdout.write(f"{written / took}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
