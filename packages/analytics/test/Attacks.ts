/**
 * Queries that somebody might try to break in, out or down with, and what must come of each.
 *
 * refused: never runs. ended: may run, and is ended on a limit or fails, while others are answered. FILE stands for a file
 * of the table, OTHER for a file beside it.
 */
export interface Attack {
  readonly sql: string
  readonly outcome: "refused" | "ended"
}

const refused = (...texts: ReadonlyArray<string>): ReadonlyArray<Attack> =>
  texts.map((sql) => ({ sql, outcome: "refused" }))

const ended = (...texts: ReadonlyArray<string>): ReadonlyArray<Attack> =>
  texts.map((sql) => ({ sql, outcome: "ended" }))

const files = refused(
  "SELECT * FROM read_csv('OTHER')",
  "SELECT * FROM read_csv_auto('OTHER')",
  "SELECT * FROM read_text('OTHER')",
  "SELECT * FROM read_blob('OTHER')",
  "SELECT * FROM read_json('OTHER')",
  "SELECT * FROM read_json_auto('OTHER')",
  "SELECT * FROM read_ndjson_objects('OTHER')",
  "SELECT * FROM read_parquet('FILE')",
  "SELECT * FROM parquet_scan('FILE')",
  "SELECT * FROM parquet_metadata('FILE')",
  "SELECT * FROM parquet_schema('FILE')",
  "SELECT * FROM parquet_kv_metadata('FILE')",
  "SELECT * FROM read_duckdb('OTHER')",
  "SELECT * FROM glob('/*')",
  "SELECT * FROM sniff_csv('OTHER')",
  "SELECT * FROM 'OTHER'",
  "SELECT * FROM 'FILE'",
  `SELECT * FROM "OTHER"`,
  "FROM 'OTHER'",
  "SELECT * FROM (FROM 'OTHER') t",
  "SELECT (SELECT count(*) FROM 'OTHER')",
  `WITH "OTHER" AS (SELECT 1) SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) y, 'FILE'`,
  `SELECT * FROM (WITH "OTHER" AS (SELECT 1) SELECT 1) t, "OTHER"`,
  "SELECT * FROM main.'OTHER'",
  "SELECT * FROM transactions.raw JOIN 'OTHER' ON true",
  "SELECT * FROM transactions.raw WHERE EXISTS (SELECT 1 FROM read_text('OTHER'))",
  "SELECT * FROM transactions.raw ORDER BY (SELECT count(*) FROM read_text('OTHER'))",
  "SELECT count(*) FILTER (WHERE EXISTS (FROM read_text('OTHER'))) FROM transactions.raw",
  "SELECT * FROM transactions.raw LIMIT (SELECT count(*) FROM read_text('OTHER'))",
  "SELECT sum(amount) OVER (PARTITION BY (SELECT 1 FROM read_text('OTHER'))) FROM transactions.raw",
  "SELECT list_transform([1], x -> (SELECT content FROM read_text('OTHER')))",
  "VALUES ((SELECT content FROM read_text('OTHER')))",
  "SELECT * FROM system.main.read_text('OTHER')",
  "SELECT main.getenv('HOME')",
  "PIVOT (FROM read_csv('OTHER')) ON a USING sum(b)",
  "SELECT * FROM query('SELECT 1')",
  "SELECT * FROM query_table('OTHER')",
  "SELECT * FROM json_execute_serialized_sql('{}')",
  "SELECT json_serialize_plan('SELECT 1')",
  "SELECT * FROM arrow_scan(1, 2, 3)",
  "SELECT * FROM seq_scan('x')"
)

const settings = refused(
  "SELECT getenv('HOME')",
  "SELECT current_setting('temp_directory')",
  "SELECT getvariable('x')",
  "SELECT * FROM duckdb_settings()",
  "SELECT * FROM duckdb_secrets()",
  "SELECT * FROM duckdb_databases()",
  "SELECT * FROM duckdb_functions()",
  "SELECT * FROM duckdb_views()",
  "SELECT * FROM duckdb_temporary_files()",
  "SELECT * FROM pragma_database_size()",
  "SELECT * FROM pragma_version()",
  "SELECT * FROM which_secret('a', 'b')",
  "SELECT * FROM information_schema.tables",
  "SELECT * FROM pg_catalog.pg_class",
  "SELECT * FROM sqlite_master",
  "SELECT * FROM duckdb_tables",
  "SELECT version()",
  "SELECT current_query()",
  "SELECT txid_current()",
  "DESCRIBE transactions.raw",
  "SUMMARIZE transactions.raw",
  "SHOW TABLES",
  "SHOW ALL TABLES"
)

const statements = refused(
  "",
  "   ",
  "-- nothing",
  ";",
  "SELECT 1; SELECT 2",
  "SELECT 1; DROP VIEW transactions.raw",
  "SELECT 1;;SELECT 2",
  "PRAGMA database_list",
  "PRAGMA enable_profiling",
  "SET memory_limit = '100GB'",
  "SET enable_external_access = true",
  "SET allowed_paths = ['/']",
  "RESET lock_configuration",
  "COPY transactions.raw TO 'OTHER'",
  "COPY (SELECT 1) TO 'FILE'",
  "COPY (SELECT 1) TO 'FILE' (FORMAT parquet)",
  "EXPORT DATABASE 'OTHER'",
  "IMPORT DATABASE 'OTHER'",
  "ATTACH 'OTHER' AS x",
  "ATTACH 'FILE' AS x",
  "DETACH memory",
  "USE memory",
  "INSTALL httpfs",
  "LOAD httpfs",
  "LOAD 'OTHER'",
  "CREATE TABLE x (a INT)",
  "CREATE VIEW x AS SELECT 1",
  "CREATE MACRO f(a) AS a",
  "CREATE SECRET s (TYPE s3)",
  "INSERT INTO transactions.raw VALUES (1)",
  "UPDATE transactions.raw SET amount = 0",
  "DELETE FROM transactions.raw",
  "DROP VIEW transactions.raw",
  "ALTER VIEW transactions.raw RENAME TO x",
  "EXPLAIN SELECT 1",
  "EXPLAIN ANALYZE SELECT 1",
  "EXPLAIN ANALYZE INSERT INTO transactions.raw VALUES (1)",
  "EXPLAIN ANALYZE COPY (SELECT 1) TO 'FILE'",
  "CALL pragma_version()",
  "CALL enable_logging()",
  "CHECKPOINT",
  "VACUUM",
  "BEGIN TRANSACTION",
  "COMMIT",
  "PREPARE p AS SELECT 1",
  "EXECUTE p",
  "DEALLOCATE p",
  "SELECT $1",
  "SELECT ?",
  "MERGE INTO transactions.raw USING transactions.raw ON true WHEN MATCHED THEN DELETE",
  "WITH x AS (INSERT INTO transactions.raw VALUES (1) RETURNING *) SELECT * FROM x",
  "SELECT nextval('s')",
  "SELECT write_log('x')",
  "SELECT setseed(0.5)"
)

const bombs = refused(
  "SELECT length(repeat('x', 2000000000))",
  "SELECT length(lpad('x', 2000000000, 'y'))",
  "SELECT length(rpad('x', 2000000000, 'y'))",
  "SELECT length(printf('%2000000000d', 1))",
  "SELECT length(format('{:>2000000000}', 'a'))",
  "SELECT len(range(2000000000))",
  "SELECT len(generate_series(1, 2000000000))",
  "SELECT bar(1, 0, 1, 2000000000)",
  "SELECT array_resize([1], 2000000000)",
  "SELECT list_resize([1], 2000000000)",
  "SELECT sleep_ms(100000)",
  "SELECT pg_sleep(100000)",
  "SELECT * FROM repeat('x', 2000000000)",
  "SELECT * FROM repeat_row(1, num_rows = 2000000000)",
  "SELECT * FROM test_all_types()",
  `SELECT ${"(".repeat(20_000)}1${")".repeat(20_000)}`,
  `SELECT ${"-".repeat(3)}${"- ".repeat(30_000)}1`,
  `SELECT 1${" + 1".repeat(20_000)}`,
  `SELECT ${"(SELECT ".repeat(3000)}1${")".repeat(3000)}`,
  `SELECT ${"CASE WHEN true THEN ".repeat(3000)}1${" END".repeat(3000)}`
)

const slow = ended(
  "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b",
  "SELECT count(*) FROM generate_series(1, 9000000000000000000)",
  "SELECT count(*) FROM range(100000) a, range(100000) b, range(100000) c WHERE a.range + b.range = c.range * 7 + 1",
  "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
  "WITH RECURSIVE t AS (SELECT 'x' AS s UNION ALL SELECT s || s FROM t) SELECT max(length(s)) FROM t",
  "WITH RECURSIVE t AS (SELECT [1] AS l UNION ALL SELECT l || l FROM t) SELECT max(len(l)) FROM t",
  "SELECT list(a.range) FROM range(400000000) a",
  "SELECT string_agg(a.range::VARCHAR, ',') FROM range(400000000) a",
  "SELECT array_agg(a.range ORDER BY random()) FROM range(300000000) a",
  "SELECT count(DISTINCT md5(a.range::VARCHAR)) FROM range(2000000000) a",
  "SELECT * FROM range(1000000000000) ORDER BY hash(range) LIMIT 1",
  "SELECT count(*) FROM (SELECT DISTINCT sha256(range::VARCHAR) FROM range(4000000000))",
  "SELECT regexp_matches(string_agg('a', ''), '(a?){1000}{1000}') FROM range(1000000)",
  "SELECT max(factorial(20) % (range + 1)) FROM range(900000000000)",
  "SELECT replace(replace(replace(replace(string_agg('x', ''), 'x', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'), 'x', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'), 'x', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'), 'x', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') FROM range(10000)",
  "SELECT list_transform(list(a.range), x -> list_transform(list_value(x, x), y -> y)) FROM range(300000000) a",
  "SELECT len(flatten(list_transform(list(a.range), x -> list_value(x, x, x, x)))) FROM range(200000000) a",
  "SELECT * FROM transactions.raw a, transactions.raw b, transactions.raw c, transactions.raw d ORDER BY a.amount + b.amount + c.amount + d.amount",
  "SELECT histogram(random()) FROM range(500000000)",
  "SELECT a.range, row_number() OVER (ORDER BY random()) FROM range(5000000000) a"
)

export const attacks: ReadonlyArray<Attack> = [...files, ...settings, ...statements, ...bombs, ...slow]
