"""Answers questions about tables with PyIceberg and with DuckDB's own Iceberg reader.

Reads a request as JSON from standard input and prints the answers as JSON: values as text, so that nothing is rounded.
"""

import datetime
import json
import os
import re
import sys
from decimal import Decimal
from uuid import UUID

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg import expressions
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.catalog.sql import SqlCatalog

EPOCH = datetime.datetime(1970, 1, 1)


def text(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return repr(value)
    return str(value)


def nested(value, kind):
    """A value below a struct, list or map: moments in microseconds, maps as pairs."""
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {field.name: nested(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        return [[nested(key, kind.key_type), nested(item, kind.item_type)] for key, item in value]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [nested(item, kind.value_type) for item in value]
    if isinstance(value, datetime.datetime):
        return str((value.replace(tzinfo=None) - EPOCH) // datetime.timedelta(microseconds=1))
    return text(value)


def column(values):
    kind = values.type
    if pa.types.is_nested(kind):
        return [nested(value, kind) for value in values.to_pylist()]
    if pa.types.is_timestamp(kind):
        # nanoseconds stay what they are
        if kind.unit != "ns":
            values = pc.cast(values, pa.timestamp("us", kind.tz))
        values = pc.cast(values, pa.int64())
    elif pa.types.is_time(kind):
        values = pc.cast(values, pa.int64())
    elif pa.types.is_date(kind):
        values = pc.cast(values, pa.int32())
    return [text(value) for value in values.to_pylist()]


def rows(table, order):
    columns = {name: column(table.column(name)) for name in table.column_names}
    found = [dict(zip(columns, row)) for row in zip(*columns.values())]
    return sorted(found, key=lambda row: [int(row[name]) for name in order])


def open_catalog(request):
    if "rest" in request:
        return RestCatalog("rest", uri=request["rest"])
    return SqlCatalog(
        request["catalogName"],
        uri="sqlite:///" + request["catalogFile"],
        warehouse=request["warehouse"],
    )


def open_duckdb():
    directory = os.environ["DUCKDB_EXT_DIR"]
    connection = duckdb.connect(config={"extension_directory": directory})
    for name in ("avro", "iceberg"):
        connection.execute(f"LOAD {name}")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def literal(probe, value):
    """A value of a probe as PyIceberg takes it: what it reads from text by itself stays text."""
    kind = probe["kind"]
    if kind == "boolean":
        return value == "true"
    if kind in ("int", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "decimal":
        sign, digits, exponent = Decimal(value).as_tuple()
        return Decimal((sign, digits + (0,) * (exponent + probe["scale"]), -probe["scale"]))
    if kind in ("binary", "fixed"):
        return bytes.fromhex(value)
    if kind == "uuid":
        return UUID(value)
    if kind == "timestamptz":
        return value.replace(" ", "T") + "+00:00"
    return value.replace(" ", "T") if kind == "timestamp" else value


COMPARISONS = {
    "=": expressions.EqualTo,
    "<>": expressions.NotEqualTo,
    "<": expressions.LessThan,
    "<=": expressions.LessThanOrEqual,
    ">": expressions.GreaterThan,
    ">=": expressions.GreaterThanOrEqual,
    "starts with": expressions.StartsWith,
    "not starts with": expressions.NotStartsWith,
}


def predicate(probe):
    name = probe["column"]
    operator = probe["operator"]
    values = [literal(probe, value) for value in probe["values"]]
    if operator == "is null":
        return expressions.IsNull(name)
    if operator == "is not null":
        return expressions.NotNull(name)
    if operator == "in":
        return expressions.In(name, values)
    if operator == "not in":
        return expressions.NotIn(name, values)
    if operator == "not <":
        return expressions.Not(expressions.LessThan(name, values[0]))
    return COMPARISONS[operator](name, values[0])


def scan_pyiceberg(table, question):
    options = {}
    if question.get("filter"):
        options["row_filter"] = question["filter"]
    if question.get("probe"):
        options["row_filter"] = predicate(question["probe"])
    if question.get("columns"):
        options["selected_fields"] = tuple(question["columns"])
    if question.get("tag"):
        return table.scan(**options).use_ref(question["tag"]).to_arrow()
    if question.get("snapshotId"):
        options["snapshot_id"] = int(question["snapshotId"])
    if question.get("timestampMs") is not None:
        options["snapshot_id"] = table.snapshot_as_of_timestamp(question["timestampMs"]).snapshot_id
    return table.scan(**options).to_arrow()


def scan_duckdb(connection, table, question):
    # Java's writers leave out two slashes
    path = re.sub("^file:/+", "file:///", table.metadata_location)
    at = ""
    if question.get("tag"):
        at = f", snapshot_from_id = {table.metadata.refs[question['tag']].snapshot_id}"
    if question.get("snapshotId"):
        at = f", snapshot_from_id = {question['snapshotId']}"
    if question.get("timestampMs") is not None:
        at = f", snapshot_from_timestamp = make_timestamp({question['timestampMs']} * 1000)"
    where = f" WHERE {question['where']}" if question.get("where") else ""
    columns = ", ".join(question.get("columns", ["*"]))
    return connection.execute(f"SELECT {columns} FROM iceberg_scan('{path}'{at}){where}").to_arrow_table()


def plan(table):
    try:
        tasks = list(table.scan().plan_files())
    except Exception:  # PyIceberg plans no scan of a table with equality deletes
        return {"partitions": -1, "files": -1}
    return {"partitions": len({str(task.file.partition) for task in tasks}), "files": len(tasks)}


def describe(table):
    return {
        "uuid": str(table.metadata.table_uuid),
        "formatVersion": table.metadata.format_version,
        "currentSnapshotId": text(table.metadata.current_snapshot_id),
        "snapshots": [str(snapshot.snapshot_id) for snapshot in table.metadata.snapshots],
        "history": [[entry.timestamp_ms, str(entry.snapshot_id)] for entry in table.history()],
        "fields": [[field.field_id, field.name, str(field.field_type), field.required] for field in table.schema().fields],
        "partitionFields": [[field.name, str(field.transform)] for field in table.spec().fields],
        "properties": dict(table.properties),
        **plan(table),
    }


def append(catalog, request):
    table = catalog.load_table(request["table"])
    data = {name: pa.array(values) for name, values in request["columns"].items()}
    target = table.schema().as_arrow()
    arrays = [data[field.name].cast(field.type) for field in target]
    table.append(pa.Table.from_arrays(arrays, schema=target))


def answer(request):
    catalog = open_catalog(request)
    answers = {"namespaces": [".".join(name) for name in catalog.list_namespaces()], "tables": {}}
    if "append" in request:
        append(catalog, request["append"])
    connection = open_duckdb()
    for asked in request["tables"]:
        table = catalog.load_table(asked["table"])
        found = {"description": describe(table), "pyiceberg": {}, "duckdb": {}}
        for question in asked["questions"]:
            name = question["name"]
            # PyIceberg refuses tables with equality deletes
            readers = question.get("readers", ["pyiceberg", "duckdb"])
            if "pyiceberg" in readers:
                found["pyiceberg"][name] = rows(scan_pyiceberg(table, question), question["order"])
            if "duckdb" in readers:
                found["duckdb"][name] = rows(scan_duckdb(connection, table, question), question["order"])
        answers["tables"][asked["table"]] = found
    return answers


def main():
    # a request a line, or one that is the whole input
    if "--serve" in sys.argv:
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), flush=True)
    else:
        print(json.dumps(answer(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
