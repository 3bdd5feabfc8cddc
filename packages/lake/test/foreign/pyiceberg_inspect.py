"""Prints PyIceberg's metadata tables of a table as JSON, now and at snapshots: values as text, so that nothing is rounded."""

import json
import sys
from datetime import date, datetime, time, timezone
from decimal import Decimal
from uuid import UUID

from pyiceberg.catalog.sql import SqlCatalog

TABLES = ["snapshots", "history", "refs", "metadata_log_entries", "files", "data_files", "delete_files", "manifests", "partitions", "entries"]
AT_SNAPSHOT = {"files", "data_files", "delete_files", "partitions", "entries"}


def plain(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        if value and isinstance(value[0], tuple):
            return {str(key): plain(each) for key, each in value}
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f") if value.tzinfo else value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, (date, time, UUID)):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def main():
    request = json.load(sys.stdin)
    catalog = SqlCatalog(
        request["catalogName"], uri="sqlite:///" + request["catalogFile"], warehouse=request["warehouse"]
    )
    table = catalog.load_table(request["table"])
    answer = {name: plain(getattr(table.inspect, name)().to_pylist()) for name in TABLES}
    for snapshot in request["snapshots"]:
        for name in AT_SNAPSHOT:
            answer[f"{name}@{snapshot}"] = plain(getattr(table.inspect, name)(snapshot_id=int(snapshot)).to_pylist())
    print(json.dumps(answer))


main()
