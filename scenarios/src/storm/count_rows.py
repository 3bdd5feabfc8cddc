"""Counts the rows and distinct ids of a table with PyIceberg: a request as JSON on the input, the answer on the output."""

import json
import sys

import pyarrow.compute as pc
from pyiceberg.catalog import load_catalog

request = json.load(sys.stdin)
table = load_catalog("frazil", **request["properties"]).load_table(request["table"])
ids = table.scan(selected_fields=("id",)).to_arrow().column("id")
print(json.dumps({"rows": len(ids), "ids": pc.count_distinct(ids).as_py()}))
