/**
 * A table of many small commits that is maintained as shipped, against one with the same rows freshly written.
 *
 * usage: bun bench/src/lake-upkeep.ts [--commits N]. Prints one JSON object. A commit every five minutes of the table's clock,
 * as a landing makes them; compaction and expiry once a day with the thresholds of `lakehouse/maintenance.yaml`. Measured
 * after a day's upkeep, and at the worst moment, just before it. Answers must be equal, or it fails.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import {
  appendRows,
  Catalog,
  compactTable,
  type DuckDb,
  expireSnapshots,
  type FileIO,
  planScan,
  readTable
} from "@frazil/lake"
import { Clock, Effect } from "effect"
import { BenchError } from "./support/BenchError.ts"
import { leastMs, numberOf, rounded, tell } from "./lake/Measured.ts"
import { inNewFolder, lakeLayer } from "./lake/Place.ts"
import { rowsSql, schema, table } from "./lake/SixteenColumns.ts"

const commits = numberOf("--commits", 1_000)
const rowsOfCommit = 500
const everyMs = 5 * 60_000
const commitsOfDay = (24 * 3_600_000) / everyMs
const rounds = 15
const dayMs = 24 * 3_600_000

/** As the schedule that ships has them; another text there is noticed here. */
const shipped = {
  fileBytesTarget: 128 * 1024 ** 2,
  inputFilesMin: 5,
  snapshotAgeMsMax: 3 * dayMs,
  snapshotsKeptMin: 10
}
const schedule = readFileSync(join(import.meta.dirname, "../../lakehouse/maintenance.yaml"), "utf8")
for (const line of ["target-file-size: 128MB", "min-input-files: 5", "snapshots-older-than: 3d", "snapshots-keep: 10"])
  if (!schedule.includes(line))
    throw new BenchError(`lakehouse/maintenance.yaml has no line ${line}: change upkeep.ts too`)

const fresh = { namespace: table.namespace, name: "fresh" }
const query =
  "SELECT country, count(*)::VARCHAR AS n, sum(amount)::VARCHAR AS total FROM t GROUP BY country ORDER BY country"

/** The table's clock: real time, and what commits have moved it on by. */
let movedMs = 0
const shifted = (clock: Clock.Clock): Clock.Clock => {
  const nanos = () => BigInt(movedMs) * 1_000_000n
  return {
    ...clock,
    sleep: clock.sleep.bind(clock),
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + movedMs,
    currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + movedMs),
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + nanos(),
    currentTimeNanos: Effect.sync(() => clock.currentTimeNanosUnsafe() + nanos())
  }
}

const measure = Effect.gen(function* () {
  const catalog = yield* Catalog
  const run = Effect.runPromiseWith(yield* Effect.context<Catalog | DuckDb | FileIO>())
  const planOf = (identifier: typeof table) => Effect.flatMap(catalog.loadTable(identifier), (each) => planScan(each))
  const askOf = (identifier: typeof table) =>
    Effect.flatMap(catalog.loadTable(identifier), (each) => readTable(each, { query }))
  const [ours, theirs] = [JSON.stringify((yield* askOf(table)).rows), JSON.stringify((yield* askOf(fresh)).rows)]
  if (ours !== theirs) throw new BenchError(`the tables differ: ${ours} and ${theirs}`)
  const [plan, freshPlan, ask, freshAsk] = yield* Effect.promise(() =>
    leastMs(rounds, [
      () => run(planOf(table)),
      () => run(planOf(fresh)),
      () => run(askOf(table)),
      () => run(askOf(fresh))
    ])
  )
  const { entries } = yield* planOf(table)
  return { files: entries.length, plan: plan!, freshPlan: freshPlan!, ask: ask!, freshAsk: freshAsk! }
})

/** The day's upkeep, in the order in which `all` does it. */
const upkeep = Effect.gen(function* () {
  yield* compactTable(table, shipped)
  yield* expireSnapshots(table, shipped)
})

await inNewFolder((directory) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const catalog = yield* Catalog
      for (const identifier of [table, fresh]) yield* catalog.createTable({ identifier, schema })
      const started = performance.now()
      for (let index = 0; index < commits; index++) {
        movedMs += everyMs
        yield* appendRows(table, rowsSql(index * rowsOfCommit, (index + 1) * rowsOfCommit, 1_000_000))
        if ((index + 1) % commitsOfDay === 0 && index + 1 < commits) yield* upkeep
      }
      const commitMs = (performance.now() - started) / commits
      yield* appendRows(fresh, rowsSql(0, commits * rowsOfCommit, 1_000_000))
      const worst = yield* measure
      yield* upkeep
      const { snapshots } = (yield* catalog.loadTable(table)).metadata
      const after = yield* measure
      const over = ({ ask, freshAsk, freshPlan, plan }: typeof after) =>
        [rounded(plan / freshPlan, 2), rounded(ask / freshAsk, 2)] as const
      tell({
        w: "lake-upkeep",
        commits,
        commitMs: rounded(commitMs),
        snapshots: snapshots.length,
        files: after.files,
        planMs: rounded(after.plan, 2),
        queryMs: rounded(after.ask, 2),
        planOver: over(after)[0],
        queryOver: over(after)[1],
        filesBeforeUpkeep: worst.files,
        planOverBeforeUpkeep: over(worst)[0],
        queryOverBeforeUpkeep: over(worst)[1]
      })
    }).pipe(Effect.updateService(Clock.Clock, shifted), Effect.provide(lakeLayer(directory)))
  )
)
