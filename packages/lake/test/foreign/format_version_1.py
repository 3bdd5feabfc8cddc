"""Makes two tables of format version 1 with PyIceberg: one as it is, one whose metadata has the forms that only version 1 has.

Reads the catalog's place as JSON from standard input; prints the rows of both tables as JSON: values as text.
"""

import json
import sqlite3
import sys
from decimal import Decimal

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import EqualTo
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DecimalType, LongType, NestedField, StringType

schema = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "country", StringType(), required=False),
    NestedField(3, "balance", DecimalType(12, 2), required=False),
)
spec = PartitionSpec(PartitionField(source_id=2, field_id=1000, transform=IdentityTransform(), name="country"))
countries = ["US", "DE", None]


def rows(start, count):
    found = []
    for i in range(start, start + count):
        found.append({"id": i, "country": countries[i % 3], "balance": None if i % 5 == 0 else Decimal(i) / 4})
    return found


def fill(catalog, name):
    table = catalog.create_table(name, schema, partition_spec=spec, properties={"format-version": "1"})
    arrow = table.schema().as_arrow()
    table.append(pa.Table.from_pylist(rows(0, 30), schema=arrow))
    table.append(pa.Table.from_pylist(rows(30, 30), schema=arrow))
    table.delete(EqualTo("id", 7))
    return catalog.load_table(name)


def to_oldest_form(catalog, catalog_file, name):
    """Rewrites the metadata file without anything that version 1 lets a writer leave out."""
    table = catalog.load_table(name)
    path = table.metadata_location.removeprefix("file://")
    with open(path) as file:
        metadata = json.load(file)
    for snapshot, known in zip(metadata["snapshots"], table.metadata.snapshots):
        snapshot["manifests"] = [manifest.manifest_path for manifest in known.manifests(table.io)]
        del snapshot["manifest-list"]
        snapshot.pop("sequence-number", None)
        snapshot.pop("schema-id", None)
    metadata["schema"] = metadata["schemas"][0]
    metadata["schema"].pop("schema-id", None)
    metadata["partition-spec"] = [
        {key: field[key] for key in ("name", "transform", "source-id")} for field in metadata["partition-specs"][0]["fields"]
    ]
    kept = ("format-version", "location", "last-updated-ms", "last-column-id", "schema", "partition-spec", "properties")
    kept += ("current-snapshot-id", "snapshots", "snapshot-log")
    oldest = path.replace(".metadata.json", "-oldest.metadata.json")
    with open(oldest, "w") as file:
        json.dump({key: metadata[key] for key in kept}, file)
    with sqlite3.connect(catalog_file) as database:
        database.execute(
            "UPDATE iceberg_tables SET metadata_location = ? WHERE table_name = ?",
            ("file://" + oldest, name.split(".")[1]),
        )


def main():
    request = json.load(sys.stdin)
    catalog = SqlCatalog(
        "frazil", uri="sqlite:///" + request["catalogFile"], warehouse=request["warehouse"]
    )
    catalog.create_namespace("test")
    table = fill(catalog, "test.accounts")
    if table.metadata.format_version != 1:
        raise SystemExit("PyIceberg made no table of format version 1")
    fill(catalog, "test.oldest")
    to_oldest_form(catalog, request["catalogFile"], "test.oldest")
    kept = [row for row in rows(0, 60) if row["id"] != 7]
    print(json.dumps([{name: None if value is None else str(value) for name, value in row.items()} for row in kept]))


main()
