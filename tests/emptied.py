"""A PostgreSQL database that a test has used, put back to what it was after its migrations."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

# Whatever a test could make, change or drop beside rows; a copy of a database has the same object ids.
_SCHEMA = """
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT concat_ws(' ', oid, relname, relkind) FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', attrelid, attnum, attname, atttypid, atttypmod, attnotnull) FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', oid, convalidated) FROM pg_constraint
    UNION ALL SELECT concat_ws(' ', oid, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws(' ', indexrelid, indisvalid) FROM pg_index
    UNION ALL SELECT concat_ws(' ', oid, md5(prosrc)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', oid, extname) FROM pg_extension
    UNION ALL SELECT concat_ws(' ', setdatabase, setrole, setconfig) FROM pg_db_role_setting
    UNION ALL SELECT concat_ws(' ', oid, datallowconn) FROM pg_database WHERE datname = 'postgres'
) AS parts (part)
"""
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
_ALONE = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Template:
    """What a database holds right after its migrations."""

    tables: tuple[str, ...]
    rows: dict[str, str]  # a table that is not empty → the statement that fills it
    sequences: dict[str, int | None]  # name → last value
    schema: str

    @classmethod
    def of(cls, connection: Connection) -> Template:
        """As the database of this connection is now; outside a transaction."""
        found = connection.exec_driver_sql(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        tables = tuple(sorted(found.scalars()))
        rows = {}
        for table in _filled(connection, tables):
            kept = connection.exec_driver_sql(f'SELECT json_agg(t)::text FROM "{table}" t').scalar_one()
            literal = str(kept).replace("'", "''")
            rows[table] = (
                f'INSERT INTO "{table}" OVERRIDING SYSTEM VALUE '
                f"SELECT * FROM json_populate_recordset(NULL::\"{table}\", '{literal}')"
            )
        return cls(tables, rows, _sequences(connection), _schema(connection))

    def restore(self, connection: Connection) -> bool:
        """Makes a copy as it was, whatever rows it holds; False when a test changed more than rows."""
        connection.exec_driver_sql(_ALONE)
        if _schema(connection) != self.schema:
            return False
        changed = sorted({*_filled(connection, self.tables), *self.rows})
        moved = [(name, last) for name, last in _sequences(connection).items() if last != self.sequences[name]]
        statements = [
            "BEGIN",
            "SET LOCAL session_replication_role = replica",  # no foreign key is asked, whatever goes first
            *(f'DELETE FROM "{table}"' for table in changed),
            *self.rows.values(),
            *(self._set_back(name) for name, _ in moved),
            "COMMIT",
            "SELECT pg_stat_reset()",  # deadlocks are counted in it
        ]
        connection.exec_driver_sql("; ".join(statements))
        return True

    def _set_back(self, sequence: str) -> str:
        last = self.sequences[sequence]
        if last is None:
            return f'ALTER SEQUENCE "{sequence}" RESTART'
        return f"SELECT setval('\"{sequence}\"', {last})"


def _filled(connection: Connection, tables: tuple[str, ...]) -> list[str]:
    asked = ", ".join(f'EXISTS (SELECT FROM "{table}")' for table in tables)
    row = connection.exec_driver_sql(f"SELECT {asked}").one()
    return [table for table, filled in zip(tables, row, strict=True) if filled]


def _sequences(connection: Connection) -> dict[str, int | None]:
    return {row.sequencename: row.last_value for row in connection.exec_driver_sql(_SEQUENCES)}


def _schema(connection: Connection) -> str:
    return str(connection.exec_driver_sql(_SCHEMA).scalar_one())
