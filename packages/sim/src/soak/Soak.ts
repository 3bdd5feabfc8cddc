/**
 * A soak: the real pipeline at a fixed rate for an hour, killed about every 20 s, with log retention and upkeep at work.
 *
 * `bun run sim --soak 1h` runs it. In the end tables equal what the generator says (`SoakRecount`), and memory, files and
 * log have not grown since the warm-up (`SoakSample`). The feed is another process than the pipeline and is never killed.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { jobRunning } from "@frazil/connect"
import { Job, Log } from "@frazil/engine"
import { landingProgress } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { dataDirectory, systemLayer, Units } from "@frazil/platform"
import { Clock, Effect } from "effect"
import { makeRandom, type Random } from "../generate/Random.ts"
import { say } from "../run/Tell.ts"
import { feedSoak } from "./SoakFeed.ts"
import type { SoakInput } from "./SoakInput.ts"
import { rssBytesOf, startSoaked } from "./SoakProcess.ts"
import { recountSoak, type SoakRecount } from "./SoakRecount.ts"
import { judge, type Judged, type SoakSample, takeSample } from "./SoakSample.ts"
import { keepUp, type UpkeepCounts } from "./SoakUpkeep.ts"

export interface SoakOptions {
  readonly forMs: number
  readonly rate: number
  readonly seed: number
}

const killEveryMs = 20_000
/** A process is looked at when it has worked for so long; none is killed before. */
const sampleAgeMs = 14_000
const lookEveryMs = 100
const killAgeMsMin = 15_000
const logRetention = "1m"
/** Windows hold ten minutes of records: before a third of this is over, memory and files have to grow. */
const judgedFromMs = 30 * 60_000
const drainMsMax = 5 * 60_000
const tellEveryKills = 3

interface Soaking {
  readonly data: string
  readonly input: SoakInput
  readonly random: Random
  readonly samples: Array<SoakSample>
  readonly upkeep: UpkeepCounts
  delivered: number
  kills: number
  /** At the last look: records that a job has not read, or that have not landed. */
  behind: number
}

const argsOf = (data: string): ReadonlyArray<string> => [
  ...["--data", data, "--no-generator", "--port", "0", "--log-retention", logRetention, "--lake-commit-every", "5s"]
]

const tell = ({ behind, data, delivered, input, kills, samples }: Soaking) => {
  const now = samples.at(-1)
  if (now === undefined) return
  const { checkpointFiles, dataFiles, logBytes, metadataFiles, otherFiles, rssBytes } = now
  say(
    `${Units.count(delivered)} of ${Units.count(input.records)} records, ${Units.count(behind)} behind, ${kills} kills; memory ${Units.bytes(rssBytes)}, log ${Units.bytes(logBytes)}, files: ${checkpointFiles} checkpoints, ${metadataFiles} metadata, ${dataFiles} data, ${otherFiles} others in ${data}`
  )
}

/** Records that a job has not read, or that have not landed. */
const lag = Effect.gen(function* () {
  const stages = yield* Job.progress([])
  let records = stages.reduce((sum, stage) => sum + stage.lag, 0)
  for (const landing of tables) records += (yield* landingProgress(landing)).lag
  return records
})

/** Waits until the process has loaded and begins its work: how long that takes says more of the machine than of it. */
const begun = Effect.fnUntraced(function* (data: string, running: () => boolean) {
  while (running() && !(yield* jobRunning({ job: "transactions", dataDirectory: data })))
    yield* Effect.sleep(lookEveryMs)
})

/** One process, from its start to its kill. Fails when it ends by itself. */
const live = (soaking: Soaking) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { data, random, samples } = soaking
      const { child, ended, running } = yield* startSoaked(argsOf(data))
      yield* begun(data, running)
      yield* Effect.sleep(sampleAgeMs)
      if (running()) samples.push(takeSample(data, rssBytesOf(child.pid!)))
      soaking.behind = yield* lag
      yield* Effect.sleep(killAgeMsMin - sampleAgeMs + random.below(2 * (killEveryMs - killAgeMsMin)))
      child.kill("SIGKILL")
      const { lines } = yield* ended
      if (child.signalCode !== "SIGKILL") return yield* Effect.fail(`the pipeline ended by itself: ${lines.join("\n")}`)
      soaking.kills++
      if (soaking.kills % tellEveryKills === 0) tell(soaking)
    })
  )

/** A last process that is left alone until everything has landed, and is then stopped as a person stops it. */
const drain = (data: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { child, ended, running } = yield* startSoaked(argsOf(data))
      const untilMs = (yield* Clock.currentTimeMillis) + drainMsMax
      // what a job has just read may still become an alert: nothing is behind twice in a row
      for (let still = 0; still < 2;) {
        yield* Effect.sleep(2_000)
        still = (yield* lag) === 0 ? still + 1 : 0
        if (!running() || (yield* Clock.currentTimeMillis) > untilMs) break
      }
      const behind = yield* lag
      child.kill("SIGTERM")
      const { code, lines } = yield* ended
      if (code !== 0) return yield* Effect.fail(`the last process ended with ${code}: ${lines.join("\n")}`)
      if (behind > 0) return yield* Effect.fail(`${behind} records were still behind after ${drainMsMax / 1000} s`)
    })
  )

const figure = (of: keyof SoakSample, value: number): string =>
  of === "rssBytes" || of === "logBytes" ? Units.bytes(value) : Units.count(Math.round(value))

const tellJudged = (judged: ReadonlyArray<Judged>, binding: boolean) => {
  for (const { bound, first, grows, last, of, second, what } of judged) {
    const verdict = binding ? (grows ? "GROWS" : "ok") : "not judged: too short"
    say(
      `${what}: medians of the thirds ${figure(of, first)}, ${figure(of, second)}, ${figure(of, last)}; bound ${figure(of, bound)}: ${verdict}`
    )
  }
}

const tellRecount = ({ alerts, cents, letters, rows, wrong }: SoakRecount) => {
  say(
    `transactions.raw: ${Units.count(rows)} rows, amounts ${cents / 100n}.${String(cents % 100n).padStart(2, "0")}; system.dead_letter: ${Units.count(letters)}; alerts: ${Units.count(alerts)}`
  )
  for (const line of wrong) say(`  WRONG ${line}`)
}

/** How far retention came: the first offsets that are left. */
const tellTrimmed = Effect.gen(function* () {
  const log = yield* Log
  let removed = 0
  for (const { name } of yield* log.topics) for (const { start } of yield* log.bounds(name)) removed += start
  say(`${Units.count(removed)} records were removed from the log on the way`)
  return removed
})

/** Feeds, kills and keeps up until the feed has sent everything, then lets the rest land. */
const soak = (soaking: Soaking) =>
  Effect.gen(function* () {
    const feed = feedSoak(soaking.input, (count) => (soaking.delivered = count))
    // whatever ends first ends the others: only the feed may
    yield* Effect.raceFirst(feed, Effect.raceFirst(Effect.forever(live(soaking)), keepUp(soaking.upkeep)))
    yield* Effect.raceFirst(drain(soaking.data), keepUp(soaking.upkeep))
  })

/** Runs a soak and judges it. Whether all promises were kept; the data directory stays when they were not. */
export const runSoak = Effect.fnUntraced(function* ({ forMs, rate, seed }: SoakOptions) {
  const folder = mkdtempSync(join(tmpdir(), "frazil-soak-"))
  const data = join(folder, "data")
  const input = { seed, rate, records: Math.round((forMs / 1_000) * rate) }
  const soaking: Soaking = {
    data,
    input,
    random: makeRandom(seed),
    samples: [],
    upkeep: { done: 0, left: 0 },
    delivered: 0,
    kills: 0,
    behind: 0
  }
  say(
    `soak: ${Units.count(input.records)} records at ${rate}/s, seed ${seed}, log retention ${logRetention}, in ${data}`
  )
  const passed = yield* Effect.gen(function* () {
    yield* soak(soaking)
    tell(soaking)
    say(`upkeep: ${soaking.upkeep.done} actions done, ${soaking.upkeep.left} left to the next time`)
    const trimmed = yield* tellTrimmed
    const recount = yield* recountSoak(input)
    tellRecount(recount)
    const judged = judge(soaking.samples)
    const binding = forMs >= judgedFromMs
    tellJudged(judged, binding)
    return trimmed > 0 && recount.wrong.length === 0 && !(binding && judged.some(({ grows }) => grows))
  }).pipe(
    Effect.provide(systemLayer(dataDirectory(data))),
    Effect.catch((error) =>
      Effect.sync(() => {
        say(`  WRONG ${typeof error === "string" ? error : error.message}`)
        return false
      })
    )
  )
  if (passed) rmSync(folder, { recursive: true, force: true })
  else say(`what it left behind: ${data}`)
  return passed
})
