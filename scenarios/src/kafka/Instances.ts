/**
 * Pipelines that share one Kafka log: they come, stop and are killed while transactions flow, and the broker with them. In the
 * end the tables hold what one undisturbed pipeline makes of the same records, each once.
 */
import { appendFileSync, writeFileSync } from "node:fs"
import { Log } from "@frazil/engine"
import { dataDirectory, logLayer } from "@frazil/platform"
import { makeRandom } from "@frazil/sim"
import { Duration, Effect, Fiber, Random } from "effect"
import { type Folder, makeFolder } from "../Folder.ts"
import { runApp } from "../Process.ts"
import { type Finding, found, type Scale, type Scenario } from "../Scenario.ts"
import { countTopic } from "../Topics.ts"
import { openKafka } from "./Broker.ts"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { tableFigures } from "./SameTables.ts"
import { watchStandstills } from "./Standstill.ts"

const port = 19_396
const topic = "raw-transactions"
/**
 * In the short form a pipeline comes every few seconds, and its start takes the cores from those that work: it is no
 * measurement, and on a slow machine takes as long as two starts.
 */
const movedMsMax: Readonly<Record<Scale, (slowestStartMs: number) => number>> = {
  full: () => 3_000,
  short: (slowestStartMs) => Math.max(20_000, 2 * slowestStartMs)
}
const rssBytesMax = 700 * 1024 * 1024
const instancesMax = 4
const load: Readonly<Record<Scale, { readonly rate: number; readonly seconds: number; readonly kills: number }>> = {
  full: { rate: 20_000, seconds: 60, kills: 600 },
  short: { rate: 4_000, seconds: 32, kills: 30 }
}

interface System {
  readonly folder: Folder
  readonly kafka: Effect.Success<ReturnType<typeof openKafka>>
  readonly fleet: Fleet
  readonly log: readonly ["--log", string]
}

const quick = ["--lake-commit-every", "2s", "--checkpoint-every", "2s"]

const openSystem = Effect.gen(function* () {
  const folder = yield* makeFolder
  const kafka = yield* openKafka(port)
  const log = ["--log", kafka.url] as const
  const args = ["--jobs", "transactions", "--data", folder.data, "--no-generator", "--no-gateway", ...log, ...quick]
  return { folder, kafka, fleet: yield* makeFleet(folder, args), log } satisfies System
})

const directoryOf = ({ folder, kafka }: System) => dataDirectory(folder.data, undefined, kafka.place)

/** Generates for so long; ends when all of it is in the topic. */
const generate = ({ folder, log }: System, rate: number, seconds: number) =>
  runApp(
    "generator",
    [
      ...["transactions", "--rate", `${rate}`, "--count", `${rate * seconds}`, "--seed", "7"],
      ...["--invalid-share", "0.01", ...log]
    ],
    folder.path
  )

/** Something of what is generated is in the topic. */
const begun = Effect.fnUntraced(function* ({ folder, kafka }: System) {
  while ((yield* countTopic(folder.data, topic, kafka.place)) === 0) yield* Effect.sleep(200)
})

const limits = { recordsMax: 20_000, bytesMax: 8_000_000 }
const newline = Uint8Array.of(10)

/** The topic's records as lines, partition after partition. */
const exportTopic = (system: System, file: string) =>
  Effect.gen(function* () {
    const log = yield* Log
    writeFileSync(file, "")
    for (const { end, partition, start } of yield* log.bounds(topic)) {
      for (let offset = start; offset < end;) {
        const batch = yield* log.read(topic, partition, offset, limits)
        const lines: Array<Uint8Array> = []
        for (let row = 0; row < batch.length; row++)
          lines.push(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row]), newline)
        appendFileSync(file, Buffer.concat(lines))
        offset = batch.next
      }
    }
  }).pipe(Effect.provide(logLayer(directoryOf(system))), Effect.scoped)

/** Lets one pipeline finish what is there, makes the same tables undisturbed, and compares. */
const compare = Effect.fnUntraced(function* (system: System, sent: number) {
  const { fleet, folder, log } = system
  while (fleet.size() > 0) yield* fleet.stop(0)
  const nothing = folder.file("nothing.ndjson")
  writeFileSync(nothing, "")
  const jobs = ["--jobs", "transactions", "--no-gateway"]
  yield* runApp("pipeline", [...jobs, "--data", folder.data, "--input", `${topic}=${nothing}`, ...log], folder.path)
  const lines = folder.file("lines.ndjson")
  yield* exportTopic(system, lines)
  const undisturbed = folder.file("undisturbed")
  yield* runApp("pipeline", [...jobs, "--data", undisturbed, "--input", `${topic}=${lines}`], folder.path)
  const expected = yield* tableFigures(dataDirectory(undisturbed))
  const made = yield* tableFigures(directoryOf(system))
  const differing = [...expected.answers].flatMap(([table, answer]) => {
    const has = made.answers.get(table)
    return has === answer ? [] : [` (${table}: ${has}, not ${answer})`]
  })
  return [
    found(
      fleet.unasked().length === 0,
      `no pipeline ends unasked${fleet
        .unasked()
        .map((each) => ` (${each})`)
        .join("")}`
    ),
    found(made.once, `each of ${made.rows} rows and each revision of ${made.alerts} alerts is there once`),
    found(
      differing.length === 0 && made.rows > sent * 0.98,
      `the tables hold what an undisturbed run makes of ${sent} records${differing.join("")}`
    ),
    found(fleet.peakBytes() < rssBytesMax, `${Math.round(fleet.peakBytes() / 2 ** 20)} MB at most, below 700`)
  ] satisfies ReadonlyArray<Finding>
})

const watching = <A, E, R>(system: System, use: (longestMs: () => number) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { longestMs } = yield* watchStandstills("transactions", topic)
    return yield* use(longestMs)
  }).pipe(Effect.provide(logLayer(directoryOf(system))), Effect.scoped)

const scale: Scenario = {
  name: "instances-scale",
  about: "one to four pipelines on one Kafka log, started and stopped while records flow",
  run: Effect.fnUntraced(function* (size) {
    const { rate, seconds } = load[size]
    const system = yield* openSystem
    const { fleet } = system
    yield* fleet.start
    yield* Effect.sleep(4_000)
    const stepMs = (seconds * 1000) / 8
    let slowestStartMs = 0
    const moves = Effect.fnUntraced(function* (longestMs: () => number) {
      const longest: Array<number> = []
      const steps = [fleet.start, fleet.start, fleet.start, fleet.stop(0), fleet.stop(1), fleet.start, fleet.stop(0)]
      yield* Effect.sleep(stepMs)
      longestMs()
      for (const step of steps) {
        yield* step
        // on a slow machine, too, whoever came is at work before the next step
        const [took] = yield* Effect.timed(fleet.atWork)
        slowestStartMs = Math.max(slowestStartMs, Duration.toMillis(took))
        yield* Effect.sleep(Math.max(0, stepMs - Duration.toMillis(took)))
        longest.push(longestMs())
      }
      return longest
    })
    const [, longest] = yield* Effect.all([generate(system, rate, seconds), watching(system, moves)], {
      concurrency: "unbounded"
    })
    const bound = Math.round(movedMsMax[size](slowestStartMs))
    const moved = found(
      Math.max(...longest) < bound,
      `at ${rate}/s a partition that moves stands still for ${longest.join(", ")} ms, below ${bound}`
    )
    return [moved, ...(yield* compare(system, rate * seconds))]
  })
}

/** What may happen next; the broker seldom. */
const mishap = Effect.fnUntraced(function* ({ fleet, kafka }: System, below: (bound: number) => number) {
  const which = below(fleet.size())
  const chance = below(100)
  if (fleet.size() < 2 || (chance < 35 && fleet.size() < instancesMax)) yield* fleet.start
  else if (chance < 70) yield* fleet.kill(which)
  else if (chance < 85) yield* fleet.stop(which)
  else {
    yield* fleet.atWork
    yield* kafka.server().kill
    yield* Effect.sleep(500 + below(2_000))
    yield* kafka.server().start
  }
})

const pauseMs: Readonly<Record<Scale, number>> = { full: 30_000, short: 5_000 }
/** Between two mishaps, at least; up to four times as long by chance. */
const quietMs: Readonly<Record<Scale, number>> = { full: 2_000, short: 1_500 }

/** Fewer show nothing. */
const mishapsMin = 3

/** The broker answers nothing for a while, as when a network is cut. */
const halt = Effect.fnUntraced(function* ({ kafka }: System, forMs: number) {
  const pid = yield* kafka.server().pidNow
  process.kill(pid, "SIGSTOP")
  yield* Effect.ensuring(
    Effect.sleep(forMs),
    Effect.sync(() => process.kill(pid, "SIGCONT"))
  )
})

const kills: Scenario = {
  name: "instances-kills",
  about: "pipelines and their broker killed at random, and the broker halted, while records flow",
  run: Effect.fnUntraced(function* (size) {
    const { kills: seconds } = load[size]
    const rate = size === "full" ? 5_000 : load.short.rate
    const seed = yield* Random.nextIntBetween(0, 100_000)
    const random = makeRandom(seed)
    const system = yield* openSystem
    yield* system.fleet.start
    yield* system.fleet.start
    yield* Effect.sleep(4_000)
    let happened = 0
    const trouble = Effect.gen(function* () {
      const endAt = performance.now() + seconds * 1000
      let halted = false
      // on a slow machine a mishap takes its time: what is left to read then still flows
      while (performance.now() < endAt || happened < mishapsMin) {
        yield* Effect.sleep(quietMs[size] + random.below(3 * quietMs[size]))
        if (!halted && performance.now() > endAt - (seconds * 1000) / 2) {
          halted = true
          yield* halt(system, pauseMs[size])
        } else yield* mishap(system, random.below)
        happened++
      }
    })
    const generating = yield* Effect.forkScoped(generate(system, rate, seconds))
    // one that finds no broker at its start ends, as it should: trouble waits until it has one
    yield* Effect.raceFirst(Fiber.join(generating), begun(system))
    yield* Effect.all([Fiber.join(generating), trouble], { concurrency: "unbounded" })
    return [
      found(happened >= mishapsMin, `${happened} mishaps by seed ${seed}`),
      ...(yield* compare(system, rate * seconds))
    ]
  })
}

export const instances: ReadonlyArray<Scenario> = [scale, kills]
