/**
 * The real process, killed again and again where its log says that it is in the middle of something, and started again
 * with the same command: what is there in the end is what the oracle reads out of the file.
 *
 * FRAZIL_STORM_SEED and FRAZIL_STORM_KILLS choose another storm; the seed of each file is printed.
 */
import { existsSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { feedProgress, makeEmbeddedLog } from "@frazil/connect"
import type { LogShape } from "@frazil/engine"
import { expectRawTransactions, makeCorpus } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { assertLeftBehind } from "./support/LeftBehind.ts"
import { runFrazil, startPipeline } from "./support/PipelineProcess.ts"
import { makePlace, type Place } from "./support/PipelineRun.ts"

const seedOfStorm = Number(process.env["FRAZIL_STORM_SEED"] ?? 20_260_114)
const killsWanted = Number(process.env["FRAZIL_STORM_KILLS"] ?? 50)
const killsPerFile = 5
/** A machine that is too quick to be killed five times in a file gets more files. */
const filesMax = killsWanted

/** Draws whole numbers below a bound, the same from the same seed. */
const makeDice = (seed: number) => {
  let state = seed >>> 0
  return (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * bound)
  }
}

interface Progress {
  /** Commits in the log: of the feed, of each shard of the job, of the landings. */
  readonly commits: number
  /** Epochs of the job. */
  readonly epochs: number
}

/** Asks a log's file for its progress, without the log's code. A connection of a moment: none is open at a restart. */
const progressOf = (file: string): Progress => {
  if (!existsSync(file)) return { commits: 0, epochs: 0 }
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const row = db
      .prepare(
        "select coalesce(sum(epoch), 0) as commits, coalesce(max(iif(uid = 'transactions', epoch, 0)), 0) as epochs from shard"
      )
      .get()
    return { commits: Number(row?.["commits"] ?? 0), epochs: Number(row?.["epochs"] ?? 0) }
  } catch {
    // not a log yet, or just being written to
    return { commits: 0, epochs: 0 }
  } finally {
    db.close()
  }
}

/** Records of a topic that a reader's shards have not committed. */
const lagOf = Effect.fnUntraced(function* (log: LogShape, topic: string, uid: string, stage: string) {
  let lag = 0
  for (const { end, partition, start } of yield* log.bounds(topic)) {
    // a job has a shard for each partition, a landing one for all
    const own = yield* log.inForce({ uid, stage, shard: stage === "landing" ? 0 : partition })
    const position = own?.positions[stage === "landing" ? partition : 0]?.offset ?? start
    lag += end - position
  }
  return lag
})

/** What a killed pipeline had not done yet. */
const inFlight = (place: Place) =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* makeEmbeddedLog({ file: `${place.data}/log.db` })
      const feed = yield* feedProgress(log, "raw-transactions")
      const topics = (yield* log.topics).map(({ name }) => name)
      const readers = [
        ["raw-transactions", "transactions", "raw-transactions"],
        ["raw-transactions", "land.raw-transactions", "landing"],
        ["dead-letter", "land.dead-letter", "landing"]
      ] as const
      let lag = 0
      for (const [topic, uid, stage] of readers) if (topics.includes(topic)) lag += yield* lagOf(log, topic, uid, stage)
      return { fed: feed?.finished === true, lag }
    })
  )

/** Waits until the log has come so far; false when the process ended before. */
const reached = Effect.fnUntraced(function* (
  place: Place,
  running: () => boolean,
  enough: (progress: Progress) => boolean
) {
  while (running()) {
    if (enough(progressOf(`${place.data}/log.db`))) return running()
    yield* Effect.sleep(1)
  }
  return false
})

/** One incarnation, to its kill or to its end. */
const live = (place: Place, enough: (progress: Progress) => boolean, delayMs: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const args = ["--data", place.data, "--input", `raw-transactions=${place.file}`]
      const { child, ended, running } = yield* startPipeline({
        args: [...args, "--epoch", "20ms", "--lake-commit-every", "100ms"]
      })
      if (yield* reached(place, running, enough)) {
        yield* Effect.sleep(delayMs)
        child.kill("SIGKILL")
      }
      const { code, lines } = yield* ended
      if (code === 0) return "finished" as const
      assert.strictEqual(child.signalCode, "SIGKILL", lines.join("\n"))
      return "killed" as const
    })
  )

/** A run, killed several times on its way; how often it was in the middle of something. */
const weather = Effect.fnUntraced(function* (seed: number, killsMax: number) {
  const dice = makeDice(seed)
  const bytes = makeCorpus({
    seed,
    lines: 5_000 + dice(30_000),
    nastyPercent: 5 + dice(30),
    // long but not too long: epochs end by bytes
    longLineBytes: [1_500_000, ...Array.from({ length: 60 + dice(80) }, () => 100_000)]
  })
  const expected = expectRawTransactions(bytes)
  const place = yield* makePlace(bytes)
  let kills = 0
  while (true) {
    const { commits } = progressOf(`${place.data}/log.db`)
    const more = 1 + dice(6)
    // the first kill comes after the third epoch; one in four hits a start that has not committed anything yet
    const starting = kills > 0 && dice(4) === 0
    const enough = (now: Progress) => starting || (now.epochs >= 3 && now.commits >= commits + more)
    const delayMs = starting ? 100 + dice(400) : dice(2) * dice(40)
    const end = yield* live(place, kills < killsMax ? enough : () => false, delayMs)
    if (end === "finished") break
    // one that came when all was done, but for the process's end, proves little: it does not count
    const { fed, lag } = yield* inFlight(place)
    if (!fed || lag > 0) kills++
  }
  yield* assertLeftBehind(place.data, expected)
  for (const table of ["transactions.raw", "system.dead_letter"]) {
    const { code, lines } = yield* runFrazil(place.data, "tables", "audit", table)
    assert.strictEqual(code, 0, lines.join("\n"))
  }
  return kills
}, Effect.scoped)

describe("a pipeline that is killed", () => {
  it.live(`${killsWanted} times, leaves behind what the oracle says`, () =>
    Effect.gen(function* () {
      const startedMs = yield* Clock.currentTimeMillis
      let kills = 0
      for (let file = 0; file < filesMax && kills < killsWanted; file++) {
        const seed = seedOfStorm + file
        kills += yield* weather(seed, Math.min(killsPerFile, killsWanted - kills))
        const seconds = ((yield* Clock.currentTimeMillis) - startedMs) / 1000
        process.stdout.write(`storm: seed ${seed}, ${kills} kills after ${seconds.toFixed(1)} s\n`)
      }
      assert.strictEqual(kills, killsWanted)
    })
  )
})
