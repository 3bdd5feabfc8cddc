/**
 * What snapshots cost a running task with a million keys in windows, and what it costs to restore them.
 *
 * `recovery.ts` runs it in a process of its own: `bun bench/src/support/SnapshotCosts.ts FOLDER KEYS`. Prints one JSON object:
 * the longest time for which the task took no records because of a snapshot, while records went on coming; from fencing to
 * the restored state, in this process and in ones that only restore; and, of the base's bytes, how many are in increments after
 * shares of the keys changed.
 */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { Log, type LogShape, type Measured, MeasureKeeper, type ShardCommit } from "@frazil/engine"
import { Effect, Fiber } from "effect"
import { median, rounded } from "./Measure.ts"
import { append, Event, restore, servicesOf, start, until } from "./SnapshotJob.ts"

const snapshotEveryMs = 1_000

interface Standing {
  /** Records that are read. */
  readonly read: number
  /** The epoch that read the last of them. */
  readonly readIn: number
  /** The epoch of the newest snapshot that is named. */
  readonly named: number
}

/** By partition, of what was committed. */
const standings = new Map<number, Standing>()

const note = ({ epochRead, id, positions, snapshots }: ShardCommit) => {
  const before = standings.get(id.shard)
  const read = positions[0]?.offset ?? 0
  const readIn = before?.read === read ? before.readIn : epochRead + 1
  standings.set(id.shard, { read, readIn, named: snapshots[0]?.epoch ?? 0 })
}

const watched = (log: LogShape): LogShape => ({
  ...log,
  commit: (epoch) => Effect.tap(log.commit(epoch), () => Effect.sync(() => epoch.shards.forEach(note)))
})

let appended = 0

/** All that was appended is read, and in snapshots. */
const settled = until(
  Effect.sync(() => {
    const all = [...standings.values()]
    return all.reduce((sum, { read }) => sum + read, 0) >= appended && all.every(({ named, readIn }) => named >= readIn)
  })
)

/** What tasks measured since it was made empty. */
let measured: Array<Measured> = []
const valuesOf = (measure: Measured["measure"]) =>
  measured.filter((one) => one.measure === measure).map((one) => one.value)
const bytesOf = (kind: "base" | "increment") => valuesOf(kind).reduce((sum, bytes) => sum + bytes, 0)
/** Of a base or an increment: every partition has written one. */
const written = (kind: "base" | "increment", times = 1) =>
  until(Effect.sync(() => valuesOf(kind).length >= times * Event.partitions))

const change = (keys: number) => Effect.tap(append(0, keys), () => Effect.sync(() => void (appended += keys)))

/** Of a base of all keys, begun behind a restart's first epoch, and of increments after it, while records flow. */
const pauses = Effect.fnUntraced(function* (keys: number) {
  const pauseMs = () => Math.round(1000 * Math.max(0, ...valuesOf("pause")))
  measured = []
  const task = yield* start(snapshotEveryMs)
  const flowing = yield* Effect.forkChild(Effect.forever(Effect.andThen(change(keys / 100), Effect.sleep(100))))
  yield* written("base")
  const basePauseMs = pauseMs()
  yield* written("increment", 2)
  yield* Fiber.interrupt(flowing)
  const snapshotPauseMs = pauseMs()
  yield* settled
  yield* Fiber.interrupt(task)
  return { snapshotPauseMs, basePauseMs }
})

const restores = 3

const restoredFresh = (root: string) =>
  Effect.promise(async () => {
    const file = join(import.meta.dirname, "RestoreOnce.ts")
    const { stdout } = await promisify(execFile)(process.execPath, [file, root])
    return Number(stdout)
  })

/** Percent of the keys that change, one share after the other; each key once, so that it is in one increment. */
const shares = [0.1, 1, 10, 50] as const

/** Percent of the base's bytes that are in increments after each share changed. */
const increments = Effect.fnUntraced(function* (keys: number) {
  measured = []
  const task = yield* start(snapshotEveryMs)
  yield* change(keys / 1000)
  yield* written("base")
  yield* settled
  const baseBytes = bytesOf("base")
  const percents: Array<readonly [share: number, percent: number]> = []
  for (const share of shares) {
    measured = []
    yield* change((keys * share) / 100)
    yield* settled
    // a base in between would hold what the increments are to hold
    const percent = valuesOf("base").length > 0 ? Number.NaN : (100 * bytesOf("increment")) / baseBytes
    percents.push([share, rounded(percent, 2)])
  }
  yield* Fiber.interrupt(task)
  return { baseBytes, ...Object.fromEntries(percents.map(([share, percent]) => [`increment${share}Percent`, percent])) }
})

const measure = Effect.fnUntraced(function* (root: string, keys: number) {
  yield* append(0, keys)
  appended = keys
  const task = yield* start(snapshotEveryMs)
  yield* settled
  yield* Fiber.interrupt(task)
  const costs = yield* pauses(keys)
  const here = yield* Effect.replicateEffect(restore, restores)
  const fresh = yield* Effect.replicateEffect(restoredFresh(root), restores)
  return { ...costs, restoreMs: median(here), freshRestoreMs: median(fresh), ...(yield* increments(keys)) }
})

const [root = "", keys = "1000000"] = process.argv.slice(2)
const costs = await Effect.runPromise(
  Effect.flatMap(Log, (log) => Effect.provideService(measure(root, Number(keys)), Log, watched(log))).pipe(
    Effect.provideService(MeasureKeeper, (one) => Effect.sync(() => void measured.push(one))),
    Effect.provide(servicesOf(root))
  )
)
process.stdout.write(`${JSON.stringify(costs)}\n`)
