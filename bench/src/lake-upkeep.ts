/**
 * A table of many small commits that is maintained as shipped, against one with the same rows freshly written.
 *
 * usage: bun bench/src/lake-upkeep.ts [--commits N] [--rows OF-EACH]. Prints one JSON object. A commit every five minutes of the table's clock,
 * as a landing makes them; compaction, manifests and expiry at the times of `lakehouse/maintenance.yaml`, with its thresholds.
 * Measured at the end, after all three, and at the worst moment: with all the commits in it that may come between two
 * compactions. Answers must be equal, or it fails.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import {
  appendRows,
  Catalog,
  compactManifests,
  compactTable,
  type DuckDb,
  expireSnapshots,
  FileIO,
  planScan,
  readTable
} from "@frazil/lake"
import type { DataDirectory } from "@frazil/platform"
import { Clock, Cron, Effect, Result } from "effect"
import { BenchError } from "./support/BenchError.ts"
import { leastMs, tell } from "./lake/Measured.ts"
import { numberOf } from "./support/Words.ts"
import { rounded } from "./support/Measure.ts"
import { inNewFolder, lakeLayer, tablesLayer } from "./lake/Place.ts"
import { rowsSql, schema, table } from "./lake/SixteenColumns.ts"

const commits = numberOf("--commits", 1_000)
const rowsOfCommit = numberOf("--rows", 500)
const everyMs = 5 * 60_000
const rounds = 60
/** A plan takes less than a millisecond: what else the machine does is left out by more of them. */
const planRounds = 300
const dayMs = 24 * 3_600_000

/** As the schedule that ships has them; another text there is noticed here. */
const shipped = {
  fileBytesTarget: 128 * 1024 ** 2,
  inputFilesMin: 3,
  snapshotAgeMsMax: 3 * dayMs,
  snapshotsKeptMin: 10
}
const schedule = readFileSync(join(import.meta.dirname, "../../lakehouse/maintenance.yaml"), "utf8")
for (const line of ["target-file-size: 128MB", "min-input-files: 3", "snapshots-older-than: 3d", "snapshots-keep: 10"])
  if (!schedule.includes(line))
    throw new BenchError(`lakehouse/maintenance.yaml has no line ${line}: change lake-upkeep.ts too`)

const cronOf = (job: string): Cron.Cron => {
  const line = new RegExp(`^${job}:\\n  cron: "([^"]+)"`, "m").exec(schedule)?.[1]
  if (line === undefined) throw new BenchError(`lakehouse/maintenance.yaml has no cron line of ${job}`)
  return Result.getOrThrow(Cron.parse(line, "UTC"))
}

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

const measure = Effect.fnUntraced(function* (directory: DataDirectory) {
  const catalog = yield* Catalog
  const run = Effect.runPromiseWith(yield* Effect.context<Catalog | DuckDb | FileIO>())
  const planOf = (identifier: typeof table) => Effect.flatMap(catalog.loadTable(identifier), (each) => planScan(each))
  const askOf = (identifier: typeof table) =>
    Effect.flatMap(catalog.loadTable(identifier), (each) => readTable(each, { query }))
  const [ours, theirs] = [JSON.stringify((yield* askOf(table)).rows), JSON.stringify((yield* askOf(fresh)).rows)]
  if (ours !== theirs) throw new BenchError(`the tables differ: ${ours} and ${theirs}`)
  const [plan, freshPlan] = yield* Effect.promise(() =>
    leastMs(planRounds, [() => run(planOf(table)), () => run(planOf(fresh))])
  )
  const [ask, freshAsk] = yield* Effect.promise(() =>
    leastMs(rounds, [() => run(askOf(table)), () => run(askOf(fresh))])
  )
  // who has read nothing yet parses the metadata of all snapshots that are kept
  const coldly = (identifier: typeof table) => () =>
    Effect.runPromise(
      Effect.flatMap(
        Catalog.use((each) => each.loadTable(identifier)),
        (each) => planScan(each)
      ).pipe(Effect.provide(tablesLayer(directory)))
    )
  const [cold, freshCold] = yield* Effect.promise(() => leastMs(planRounds, [coldly(table), coldly(fresh)]))
  const { entries, snapshot } = yield* planOf(table)
  const listed = yield* (yield* FileIO).readManifestList(snapshot?.manifestList ?? "")
  return {
    ...{ files: entries.length, manifests: listed.length, plan: plan!, freshPlan: freshPlan! },
    ...{ ask: ask!, freshAsk: freshAsk!, cold: cold!, freshCold: freshCold! }
  }
})

const jobs = [
  { cron: cronOf("compact"), run: Effect.asVoid(compactTable(table, shipped)) },
  { cron: cronOf("manifests"), run: Effect.asVoid(compactManifests(table)) },
  { cron: cronOf("expire"), run: Effect.asVoid(expireSnapshots(table, shipped)) }
]

/** Runs what was due since then, each once. */
const upkeepSince = Effect.fnUntraced(function* (beforeMs: number) {
  const nowMs = yield* Clock.currentTimeMillis
  for (const { cron, run } of jobs) if (Cron.next(cron, beforeMs).getTime() <= nowMs) yield* run
})

/** Of the last commits, as many as may come between two compactions are left as they are. */
const untouched = Effect.gen(function* () {
  const first = Cron.next(jobs[0]!.cron, yield* Clock.currentTimeMillis)
  return Math.floor((Cron.next(jobs[0]!.cron, first).getTime() - first.getTime()) / everyMs)
})

await inNewFolder((directory) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const catalog = yield* Catalog
      for (const identifier of [table, fresh]) yield* catalog.createTable({ identifier, schema })
      const left = Math.min(commits, yield* untouched)
      let [committing, upkeeping] = [0, 0]
      for (let index = 0; index < commits; index++) {
        const beforeMs = yield* Clock.currentTimeMillis
        movedMs += everyMs
        const started = performance.now()
        yield* appendRows(table, rowsSql(index * rowsOfCommit, (index + 1) * rowsOfCommit, 1_000_000))
        const committed = performance.now()
        committing += committed - started
        if (index === commits - left - 1) for (const { run } of jobs) yield* run
        else if (index < commits - left) yield* upkeepSince(beforeMs)
        upkeeping += performance.now() - committed
      }
      yield* appendRows(fresh, rowsSql(0, commits * rowsOfCommit, 1_000_000))
      const worst = yield* measure(directory)
      for (const { run } of jobs) yield* run
      const { snapshots } = (yield* catalog.loadTable(table)).metadata
      const after = yield* measure(directory)
      const over = ({ ask, freshAsk, freshPlan, plan }: typeof after) =>
        [rounded(plan / freshPlan, 2), rounded(ask / freshAsk, 2)] as const
      tell({
        w: "lake-upkeep",
        commits,
        commitMs: rounded(committing / commits),
        upkeepMs: rounded(upkeeping / commits),
        snapshots: snapshots.length,
        files: after.files,
        planMs: rounded(after.plan, 2),
        queryMs: rounded(after.ask, 2),
        manifests: after.manifests,
        coldPlanMs: rounded(after.cold, 2),
        coldPlanOver: rounded(after.cold / after.freshCold, 2),
        planOver: over(after)[0],
        queryOver: over(after)[1],
        filesBeforeUpkeep: worst.files,
        manifestsBeforeUpkeep: worst.manifests,
        planMsBeforeUpkeep: rounded(worst.plan, 2),
        planOverBeforeUpkeep: over(worst)[0],
        queryOverBeforeUpkeep: over(worst)[1]
      })
    }).pipe(Effect.updateService(Clock.Clock, shifted), Effect.provide(lakeLayer(directory)))
  )
)
