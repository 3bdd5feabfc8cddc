"""Which rows of floating-point columns PyIceberg and DuckDB find by filters: in a table, and among the same rows without it.

Reads a request as JSON from standard input and prints the ids as JSON: what each engine's filters mean, it says itself.
"""

import json
import sys

import pyarrow as pa
from foreign_readers import COMPARISONS, open_catalog, open_duckdb, scan_duckdb
from pyiceberg import expressions
from pyiceberg.expressions.visitors import bind
from pyiceberg.io.pyarrow import expression_to_pyarrow

TYPES = {"d": pa.float64(), "f": pa.float32()}


def ids(table):
    return sorted(table.column("id").to_pylist())


def number(text):
    return None if text is None else float(text)


def arrow_rows(asked):
    columns = {"id": pa.array([row["id"] for row in asked["rows"]], pa.int64())}
    for name in asked["columns"]:
        columns[name] = pa.array([number(row["value"]) for row in asked["rows"]], TYPES[name])
    return pa.table(columns)


def predicate(question):
    name = question["column"]
    operator = question["operator"]
    values = [float(value) for value in question["values"]]
    if operator == "is nan":
        return expressions.IsNaN(name)
    if operator == "is not nan":
        return expressions.NotNaN(name)
    if operator == "is null":
        return expressions.IsNull(name)
    if operator == "in":
        return expressions.In(name, values)
    if operator == "not <":
        return expressions.Not(expressions.LessThan(name, values[0]))
    return COMPARISONS[operator](name, values[0])


def ask_pyiceberg(table, rows, question):
    wanted = predicate(question)
    meant = expression_to_pyarrow(bind(table.schema(), wanted, case_sensitive=True))
    found = table.scan(row_filter=wanted, selected_fields=("id",)).to_arrow()
    return {"table": ids(found), "rows": ids(rows.filter(meant))}


def ask_duckdb(connection, table, question):
    found = scan_duckdb(connection, table, {"where": question["where"], "columns": ["id"]})
    plain = connection.execute(f"SELECT id FROM plain WHERE {question['where']}").to_arrow_table()
    return {"table": ids(found), "rows": ids(plain)}


def answer(request):
    catalog = open_catalog(request)
    answers = {}
    for asked in request["tables"]:
        table = catalog.load_table(asked["table"])
        rows = arrow_rows(asked)
        connection = open_duckdb()
        columns = ", ".join(f"{name} {'DOUBLE' if name == 'd' else 'FLOAT'}" for name in asked["columns"])
        connection.execute(f"CREATE TABLE plain (id BIGINT, {columns})")
        connection.execute("INSERT INTO plain SELECT * FROM rows")
        found = {"pyiceberg": {}, "duckdb": {}}
        for question in asked["questions"]:
            if question["pyiceberg"]:
                found["pyiceberg"][question["name"]] = ask_pyiceberg(table, rows, question)
            found["duckdb"][question["name"]] = ask_duckdb(connection, table, question)
        answers[asked["table"]] = found
    return answers


if __name__ == "__main__":
    print(json.dumps(answer(json.load(sys.stdin))))
