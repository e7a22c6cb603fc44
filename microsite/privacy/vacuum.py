"""Rewrite a SQLite database with VACUUM, in a process of its own: VACUUM needs memory for a copy of the database.

Its arguments are the name of the SQLite library and the path of the database. It ends with 0, or with IN_THE_WAY where
somebody else reads or writes, or the disk is full.
"""

import importlib
import signal
import sys
import time
from pathlib import Path
from typing import Any

# os.EX_TEMPFAIL: trying again later may help.
IN_THE_WAY = 75
# Milliseconds to wait for others who read or write, and how often.
_BUSY_TIMEOUT, _TRIES = 1000, 3


def vacuum(sqlite: Any, path: Path) -> bool:
    """Rewrite the database and empty its write-ahead log; return False if that isn't possible now.

    secure_delete leaves copies that SQLite made when it shared a full page out (about one erased row in 300): only
    VACUUM builds every page from what is there.
    """
    # Opening a file that has gone would make an empty one.
    connection = sqlite.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    try:
        for pragma in (f"busy_timeout = {_BUSY_TIMEOUT}", "synchronous = FULL", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("VACUUM")
        return any(_truncate_log(connection) for _ in range(_TRIES))
    except sqlite.OperationalError:
        return False
    finally:
        connection.close()


def _truncate_log(connection: Any) -> bool:
    is_busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if is_busy:
        time.sleep(_BUSY_TIMEOUT / 10_000)
    return not is_busy


if __name__ == "__main__":
    # Blocked in the server's processes (served.py), of which this is a child. What is half done is undone by SQLite.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    sys.exit(0 if vacuum(importlib.import_module(sys.argv[1]), Path(sys.argv[2])) else IN_THE_WAY)
