"""Counts the rows of a table with PyIceberg through a REST catalog, files on S3; prints JSON, values as text."""

import json
import sys

import pyarrow.compute as pc
from pyiceberg.catalog import load_catalog

request = json.load(sys.stdin)
catalog = load_catalog(
    "lake",
    **{
        "type": "rest",
        "uri": request["uri"],
        "s3.endpoint": request["endpoint"],
        "s3.access-key-id": request["accessKeyId"],
        "s3.secret-access-key": request["secretAccessKey"],
        "s3.region": request["region"],
    },
)
table = catalog.load_table(request["table"])
rows = table.scan().to_arrow()
places = rows.group_by(["source_partition", "source_offset"]).aggregate([]).num_rows
print(
    json.dumps(
        {
            "rows": rows.num_rows,
            "places": places,
            "amount": format(pc.sum(rows["amount"]).as_py(), "f"),
            "snapshots": [str(each.snapshot_id) for each in table.metadata.snapshots],
        }
    )
)
