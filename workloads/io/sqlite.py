# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "io"
# summary = "SQLite: rows inserted, queried and deleted, each worker in a database of its own"
# source = "Debit and credit, after Anon. et al., A Measure of Transaction Processing Power, 1985"
# shows = "How far threads overlap in a C library that releases the GIL for every step"
# models = ["serial", "threads", "processes", "interpreters"]
# ///
"""Books transfers in a small database with the module sqlite3: one transaction of 200 per unit.

Each share opens a database of its own, a file in a temporary folder on the file system that TMPDIR
names. Nothing is flushed to the disk (`synchronous = OFF`), so this measures Python, SQLite and the
kernel's cache, not the device. sqlite3 gives up the GIL around every step of a statement.
"""

import os
import sqlite3
import tempfile

TRANSFERS = 200
ACCOUNTS = 10


def open_database(path):
    """A connection to a new database with an empty table."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA journal_mode = MEMORY").fetchone()
    database.execute(
        "CREATE TABLE transfers (id INTEGER PRIMARY KEY, account INTEGER, cents INTEGER)"
    )
    return database


def cents(unit, number):
    """The amount of one transfer."""
    return 100 * unit + number


def work(data, units):
    """Book unit by unit; returns how many transfers were found in each, and their sum."""
    found = []
    with tempfile.TemporaryDirectory(prefix="ftbench-") as folder:
        database = open_database(os.path.join(folder, "transfers.db"))
        for unit in range(units):
            rows = [(number % ACCOUNTS, cents(unit, number)) for number in range(TRANSFERS)]
            database.execute("BEGIN")
            database.executemany("INSERT INTO transfers (account, cents) VALUES (?, ?)", rows)
            totals = database.execute(
                "SELECT account, count(*), sum(cents) FROM transfers GROUP BY account"
            ).fetchall()
            database.execute("DELETE FROM transfers")
            database.execute("COMMIT")
            found.append((sum(row[1] for row in totals), sum(row[2] for row in totals)))
        database.close()
    return found


def check(results, units):
    """The database found every transfer of every unit."""
    done = sum(len(share) for share in results)
    assert done == units, f"{done} transactions, not {units}"
    for share in results:
        for unit, (transfers, total) in enumerate(share):
            assert transfers == TRANSFERS, f"{transfers} transfers found, not {TRANSFERS}"
            # 100 * unit each, and 0 + 1 + ... + 199.
            expected = TRANSFERS * 100 * unit + TRANSFERS * (TRANSFERS - 1) // 2
            assert total == expected, f"transfers of {total} cents found, not {expected}"
