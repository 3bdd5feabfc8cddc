"""Writes tables with PyIceberg, and prints what it reads of them itself, as foreign_readers.py spells values.

Every type, columns changed between appends (nested ones too), and partitions by values of columns (its other transforms
need its Rust half), rows deleted afterwards.
"""

import datetime
import json
import sys
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
from foreign_readers import open_catalog, rows
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FixedType,
    FloatType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

ZONE = datetime.timezone.utc


def fill(table, records):
    """Appends records as they are, by the table's own Arrow schema."""
    schema = table.schema().as_arrow()
    table.append(pa.Table.from_pylist(records, schema=schema))


def types(catalog):
    kinds = [
        BooleanType(),
        IntegerType(),
        LongType(),
        FloatType(),
        DoubleType(),
        DecimalType(9, 2),
        DecimalType(38, 10),
        DateType(),
        TimeType(),
        TimestampType(),
        TimestamptzType(),
        StringType(),
        UUIDType(),
        FixedType(3),
        BinaryType(),
    ]
    fields = [NestedField(1, "id", LongType(), required=True)]
    fields += [NestedField(2 + i, f"c{i}", kind, required=False) for i, kind in enumerate(kinds)]
    table = catalog.create_table("written.types", schema=Schema(*fields))
    low = [False, -(2**31), -(2**63), -1.5, -1e308, Decimal("-9999999.99"), Decimal("-0.0000000001"), datetime.date(1, 1, 1)]
    low += [datetime.time(), datetime.datetime(1, 1, 1), datetime.datetime(1, 1, 1, tzinfo=ZONE), "", UUID(int=0).bytes]
    low += [b"\x00\x01\x02", b""]
    high = [True, 2**31 - 1, 2**63 - 1, 0.1, 5e-324, Decimal("0.01"), Decimal("1e27"), datetime.date(9999, 12, 31)]
    high += [datetime.time(23, 59, 59, 999999), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)]
    high += [datetime.datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=ZONE), "é😀'\\", UUID(int=2**128 - 1).bytes]
    high += [b"\xff\xfe\xfd", b"\x00" * 20]
    for i, values in enumerate((low, high, [None] * len(kinds))):
        fill(table, [{"id": i, **{f"c{n}": value for n, value in enumerate(values)}}])


def evolved(catalog):
    place = StructType(NestedField(5, "city", StringType(), required=False), NestedField(6, "zip", IntegerType(), required=False))
    tags = MapType(7, StringType(), 8, place_of(9), value_required=False)
    items = ListType(11, place_of(12), element_required=False)
    table = catalog.create_table(
        "written.evolved",
        schema=Schema(
            NestedField(1, "id", LongType(), required=True),
            NestedField(2, "place", place, required=False),
            NestedField(3, "tags", tags, required=False),
            NestedField(4, "items", items, required=False),
            NestedField(14, "note", StringType(), required=False),
        ),
    )
    fill(
        table,
        [
            {"id": 1, "place": {"city": "a", "zip": 1}, "tags": {"k": {"n": 1}}, "items": [{"n": 2}, {"n": None}], "note": "old"},
            {"id": 2, "place": None, "tags": {}, "items": [], "note": None},
        ],
    )
    with table.update_schema() as update:
        update.rename_column("place.city", "town")
        update.update_column("place.zip", LongType())
        update.add_column(("place", "country"), StringType())
        update.rename_column("tags.value.n", "m")
        update.update_column("items.element.n", LongType())
        update.delete_column("note")
        update.move_first("items")
    with table.update_schema() as update:
        update.add_column("note", StringType())
    place = {"town": "b", "zip": 2**40, "country": "x"}
    fill(table, [{"id": 3, "place": place, "tags": {"k": {"m": 3}}, "items": [{"n": 2**40}], "note": "new"}])
    table.delete("id = 2")


def place_of(field_id):
    return StructType(NestedField(field_id, "n", IntegerType(), required=False))


def divided(catalog):
    schema = Schema(
        NestedField(1, "id", LongType(), required=True),
        NestedField(2, "name", StringType(), required=False),
        NestedField(3, "at", TimestamptzType(), required=False),
        NestedField(4, "amount", DecimalType(12, 2), required=False),
        NestedField(5, "day", DateType(), required=False),
    )
    transforms = {
        "text": (2, IdentityTransform()),
        "date": (5, IdentityTransform()),
        "decimal": (4, IdentityTransform()),
    }
    start = datetime.datetime(1969, 12, 31, 22, tzinfo=ZONE)
    for name, (source, transform) in transforms.items():
        spec = PartitionSpec(PartitionField(source, 1000, transform, f"{name}_part"))
        table = catalog.create_table(f"written.by_{name}", schema=schema, partition_spec=spec)
        for part in range(2):
            fill(
                table,
                [
                    {
                        "id": i,
                        "name": None if i % 5 == 0 else f"n{i % 3}é/ {i % 2}",
                        "at": None if i % 7 == 0 else start + datetime.timedelta(hours=i),
                        "amount": Decimal(i) / 4,
                        "day": None if i % 6 == 0 else datetime.date(1969, 12, 30) + datetime.timedelta(days=i % 4),
                    }
                    for i in range(part * 8, part * 8 + 8)
                ],
            )
        table.delete("id = 3")


def main():
    request = json.load(sys.stdin)
    catalog = open_catalog(request)
    catalog.create_namespace("written")
    types(catalog)
    evolved(catalog)
    divided(catalog)
    names = [".".join(name) for name in catalog.list_tables("written")]
    print(json.dumps({name: rows(catalog.load_table(name).scan().to_arrow(), ["id"]) for name in names}))


if __name__ == "__main__":
    main()
