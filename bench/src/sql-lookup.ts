/**
 * `bun bench/src/sql-lookup.ts [postgres://…]`: lookups in a table of claims, in batches of 500, eight batches at a time.
 *
 * Over a DuckDB file unless a PostgreSQL is given, whose table `claims_bench` it makes anew. Prints lookups a second and CPU of
 * this process (DuckDB's threads are in it, PostgreSQL's server is not).
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeSqlLookup, openDuckDbFile, openPostgres } from "@frazil/connect"
import { Claim, claimFailures, claimProblem } from "@frazil/flows"
import { Effect, Result } from "effect"

const claims = 100_000
const keysMax = 500
const batches = 400
const table = "claims_bench"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-bench-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const program = Effect.gen(function* () {
  const url = process.argv[2]
  const client =
    url === undefined
      ? yield* openDuckDbFile("claims", { kind: "duckdb", file: join(yield* folder, "claims.duckdb") }, "write")
      : yield* openPostgres("claims", { kind: "postgres", url }, 60_000)
  yield* client.query(`DROP TABLE IF EXISTS ${table}`)
  yield* client.query(
    `CREATE TABLE ${table} (claim_id VARCHAR PRIMARY KEY, member_id VARCHAR NOT NULL, claim_amount DECIMAL(10,2) NOT NULL, claim_status VARCHAR)`
  )
  yield* client.query(
    `INSERT INTO ${table} SELECT 'CL' || CAST(i AS VARCHAR), 'ME' || CAST(i % 5000 AS VARCHAR), i, 'open' FROM generate_series(1, ${claims}) AS n(i)`
  )
  const lookup = makeSqlLookup({
    client,
    table,
    key: "claim_id",
    answer: Claim,
    problem: claimProblem,
    failures: claimFailures
  })
  let found = 0
  const ask = (batch: number) => {
    const keys = Array.from({ length: keysMax }, (_, n) => `CL${1 + ((batch * 7_919 + n * 197) % claims)}`)
    return Effect.map(lookup.lookupMany!(keys), (answers) => {
      for (const answer of answers) if (Result.isSuccess(answer)) found++
    })
  }
  const cpu = process.cpuUsage()
  const started = performance.now()
  yield* Effect.forEach(
    Array.from({ length: batches }, (_, n) => n),
    ask,
    { concurrency: 8, discard: true }
  )
  const seconds = (performance.now() - started) / 1_000
  const { system, user } = process.cpuUsage(cpu)
  const each = ((system + user) / (keysMax * batches)).toFixed(1)
  console.log(`${Math.round(found / seconds)} lookups/s found, ${each} us of CPU each`)
})

await Effect.runPromise(Effect.scoped(program))
