/**
 * Compacting small files of 16 columns into files of 128 MB: CPU a GB of Parquet that goes in, and memory.
 *
 * usage: bun bench/src/lake-compact.ts [--rows N]. Prints one JSON object. The rows must be the same afterwards, or it fails.
 */
import { appendRows, Catalog, readTable } from "@frazil/lake"
import { Effect } from "effect"
import { BenchError } from "./support/BenchError.ts"
import { runOwn, tell } from "./lake/Measured.ts"
import { numberOf } from "./support/Words.ts"
import { inNewFolder, withLake } from "./lake/Place.ts"
import { rowsSql, schema, table } from "./lake/SixteenColumns.ts"

const rows = numberOf("--rows", 5_000_000)
const rowsOfCommit = 50_000

const answer = Effect.gen(function* () {
  const query =
    "SELECT count(*)::VARCHAR AS n, sum(amount)::VARCHAR AS a, sum(hash(transaction_id, account_id, ip))::VARCHAR AS t FROM t"
  return JSON.stringify((yield* readTable(yield* (yield* Catalog).loadTable(table), { query })).rows)
})

await inNewFolder(async (directory) => {
  const before = await withLake(
    directory,
    Effect.gen(function* () {
      yield* (yield* Catalog).createTable({ identifier: table, schema })
      for (let from = 0; from < rows; from += rowsOfCommit)
        yield* appendRows(table, rowsSql(from, Math.min(rows, from + rowsOfCommit), rows))
      return yield* answer
    })
  )
  const ran = runOwn("CompactOnce.ts", directory.root)
  const after = await withLake(directory, answer)
  if (after !== before) throw new BenchError(`compaction changed the rows: ${before} became ${after}`)
  tell({ w: "lake-compact", rows, ...ran })
})
