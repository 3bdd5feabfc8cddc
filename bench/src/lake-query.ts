/**
 * Queries over a table through us (plan, relation by field id, DuckDB) against DuckDB reading the same files by itself.
 *
 * usage: bun bench/src/lake-query.ts [--rows N]. Prints one JSON object: the least time of each, in turns on the same DuckDB,
 * and the worst ratio. Answers must be equal, or it fails.
 */
import { appendRows, Catalog, DuckDb, type FileIO, planScan, readTable } from "@frazil/lake"
import { Effect } from "effect"
import { BenchError } from "./support/BenchError.ts"
import { leastMs, tell } from "./lake/Measured.ts"
import { numberOf } from "./support/Words.ts"
import { rounded } from "./support/Measure.ts"
import { inNewFolder, lakeLayer } from "./lake/Place.ts"
import { makeSource, schema, table } from "./lake/SixteenColumns.ts"

const rows = numberOf("--rows", 10_000_000)
const rounds = 9
const threads = 2

const queries: Readonly<Record<string, string>> = {
  total: "SELECT sum(amount)::VARCHAR AS total, max(lat) AS lat FROM t",
  group: "SELECT country, type, count(*)::VARCHAR AS n, sum(amount)::VARCHAR AS total FROM t GROUP BY ALL ORDER BY ALL",
  filter: "SELECT count(*)::VARCHAR AS n, max(amount)::VARCHAR AS most FROM t WHERE account_id = 'acc-000077'",
  range:
    "SELECT count(*)::VARCHAR AS n, min(ip) AS ip FROM t WHERE event_timestamp < TIMESTAMPTZ '2026-01-02 00:00:00+00'",
  distinct: "SELECT count(DISTINCT merchant_id)::VARCHAR AS n FROM t"
}

await inNewFolder((directory) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const source = `${directory.root}/source.parquet`
      yield* makeSource(source, rows, rows / 10)
      const catalog = yield* Catalog
      yield* catalog.createTable({ identifier: table, schema })
      yield* appendRows(table, `SELECT * FROM read_parquet('${source}')`)
      const plan = yield* planScan(yield* catalog.loadTable(table))
      const paths = plan.entries.map(({ dataFile }) => `'${dataFile.filePath.replace("file://", "")}'`).join(", ")
      const duckDb = yield* DuckDb
      const run = Effect.runPromiseWith(yield* Effect.context<Catalog | DuckDb | FileIO>())
      const ours = (query: string) =>
        Effect.flatMap(catalog.loadTable(table), (loaded) => readTable(loaded, { query })).pipe(
          Effect.map(({ rows: found }) => JSON.stringify(found))
        )
      const theirs = (query: string) =>
        Effect.gen(function* () {
          const connection = yield* duckDb.connect
          const found = yield* connection.query(`WITH t AS (FROM read_parquet([${paths}])) ${query}`, "comparing")
          return JSON.stringify(found.getRowObjectsJson())
        }).pipe(Effect.scoped)
      const figures: Record<string, number> = {}
      let worst = 0
      for (const [name, query] of Object.entries(queries)) {
        if ((yield* ours(query)) !== (yield* theirs(query))) throw new BenchError(`${name}: the answers differ`)
        const [us, duck] = yield* Effect.promise(() =>
          leastMs(rounds, [() => run(ours(query)), () => run(theirs(query))])
        )
        figures[`${name}Ms`] = rounded(us!)
        figures[`${name}DuckDbMs`] = rounded(duck!)
        worst = Math.max(worst, us! / duck!)
      }
      tell({ w: "lake-query", rows, files: plan.entries.length, ...figures, worstOver: rounded(worst, 3) })
    }).pipe(Effect.provide(lakeLayer(directory, threads)))
  )
)
