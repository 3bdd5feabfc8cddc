"""Reads a table with PyIceberg and with DuckDB's own Iceberg reader, again and again while a pipeline writes it.

Takes one JSON object as its argument. Prints one JSON object a line for each new snapshot that it finds: what both readers
see in it, as text. Ends when the file `until` exists and the newest snapshot was reported. With `rows`, all rows are
printed too, in the end.
"""

import json
import os
import sys
import time

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from sqlalchemy.exc import OperationalError

request = json.loads(sys.argv[1])
partitions = range(request["partitions"])


def open_duckdb():
    connection = duckdb.connect(config={"extension_directory": os.environ["DUCKDB_EXT_DIR"]})
    for name in ("avro", "iceberg"):
        connection.execute(f"LOAD {name}")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def load():
    if not os.path.exists(request["catalog"]):
        return None
    # a new catalog each time: nothing is kept from before. It must not be the one that makes the catalog's tables
    try:
        catalog = SqlCatalog(
            "frazil", uri="sqlite:///" + request["catalog"], warehouse=request["warehouse"], init_catalog_tables="false"
        )
        return catalog.load_table(request["table"])
    except (NoSuchTableError, OperationalError):
        return None


FIGURES = """
    SELECT CAST(strftime({time}, '%Y-%m-%d') AS VARCHAR) AS day, source_partition AS partition,
           count(*) AS rows, count(DISTINCT source_offset) AS offsets, CAST(sum({sum}) AS VARCHAR) AS total,
           min(source_offset) AS least, max(source_offset) AS most
    FROM {relation} GROUP BY ALL ORDER BY ALL
"""


def figures(connection, relation):
    sql = FIGURES.format(relation=relation, time=request["time"], sum=request["sum"])
    names = ("day", "partition", "rows", "offsets", "total", "least", "most")
    return [dict(zip(names, row)) for row in connection.execute(sql).fetchall()]


def text(column):
    if pa.types.is_timestamp(column.type):
        column = pc.cast(pc.cast(column, pa.timestamp("us", column.type.tz)), pa.int64())
    return [None if value is None else str(value) for value in column.to_pylist()]


def all_rows(arrow):
    columns = [text(arrow.column(name)) for name in arrow.column_names]
    return [dict(zip(arrow.column_names, row)) for row in zip(*columns)]


def report(connection, table, snapshot, with_rows):
    seen = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
    connection.register("seen", seen)
    relation = f"iceberg_scan('{table.metadata_location}', snapshot_from_id = {snapshot.snapshot_id})"
    found = {
        "snapshotId": str(snapshot.snapshot_id),
        "summary": dict(snapshot.summary.additional_properties),
        "pyiceberg": figures(connection, "seen"),
        "duckdb": figures(connection, relation),
    }
    if with_rows:
        found["pyicebergRows"] = all_rows(seen)
        found["duckdbRows"] = all_rows(connection.execute(f"SELECT * FROM {relation}").to_arrow_table())
    print(json.dumps(found), flush=True)


def main():
    connection = open_duckdb()
    print(json.dumps({"ready": True}), flush=True)
    last = None
    while True:
        ending = os.path.exists(request["until"])
        table = load()
        snapshot = None if table is None else table.current_snapshot()
        if snapshot is not None and snapshot.snapshot_id != last:
            last = snapshot.snapshot_id
            report(connection, table, snapshot, False)
        if ending:
            break
        time.sleep(0.05)
    if request.get("rows"):
        for snapshot in load().snapshots():
            report(connection, table, snapshot, True)


main()
