"""Copies a table by PyIceberg, and prints what the files of both say of nested columns, and what filters on them find in ours."""

import json
import sys

from foreign_readers import open_catalog


def files(table):
    """Of each file: which columns each map has, and its counts."""
    name_of = table.schema().find_column_name
    found = table.inspect.files().to_pylist()
    maps = ["column_sizes", "value_counts", "null_value_counts", "lower_bounds", "upper_bounds"]
    counts = {"value_counts", "null_value_counts"}
    return [
        {name: {name_of(key): value if name in counts else None for key, value in file[name] or []} for name in maps}
        for file in found
    ]


def answer_of(table, row_filter):
    scan = table.scan(row_filter=row_filter)
    ids = sorted(scan.to_arrow().column("id").to_pylist())
    return {"files": len(list(scan.plan_files())), "ids": ids}


def main():
    request = json.load(sys.stdin)
    catalog = open_catalog(request)
    ours = catalog.load_table(request["table"])
    theirs = catalog.create_table(request["copy"], schema=ours.schema())
    theirs.append(ours.scan().to_arrow().sort_by("id").cast(theirs.schema().as_arrow()))
    print(
        json.dumps(
            {
                "ours": files(ours),
                "theirs": files(theirs),
                "filters": {each: answer_of(ours, each) for each in request["filters"]},
            }
        )
    )


main()
