/**
 * Golden runs of the documents' security example: their login event, and more of its kind in any order, go through the whole
 * pipeline; the alerts are the documents' and those that a plain loop finds, again with a crash at every fault point.
 */
import { dataDirectory, systemLayer } from "@frazil/platform"
import { makeLogins } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { crashAndFinish, epochCrossings } from "./support/Crash.ts"
import { parallelisms, runDying } from "./support/DyingThreads.ts"
import { readTopic } from "./support/LeftBehind.ts"
import { makePlaceOf, type RunIn, type Place, runIn } from "./support/PipelineRun.ts"

interface Attempt {
  readonly user_id: string
  readonly result: string
  readonly ip: string
  readonly timestamp: string
}

/** The documents' own event: `003`, example 3. */
const documented: Attempt = {
  user_id: "U456",
  result: "failed",
  ip: "192.168.1.100",
  timestamp: "2025-12-05T09:15:10Z"
}
/** The documents' own alert. */
const documentedAlert = { ip: "192.168.1.100", failed_attempts: 3, time_window: "09:15-09:25", severity: "high" }

const at = (ip: string, timestamp: string, result = "failed"): Attempt => ({
  ...documented,
  ip,
  timestamp: `2025-12-05T${timestamp}Z`,
  result
})

const byHand: ReadonlyArray<Attempt> = [
  documented,
  at("192.168.1.100", "09:15:11", "success"),
  at("192.168.1.100", "09:19:00"),
  at("192.168.1.100", "09:25:09.999"),
  // the third is ten minutes after the first: no three within them
  at("192.168.1.101", "09:15:10"),
  at("192.168.1.101", "09:16:00"),
  at("192.168.1.101", "09:25:10"),
  // two, and two more, and a success: six within ten minutes are two alerts, and one that it came to something
  ...["09:00:00", "09:00:01", "09:00:02", "09:00:03", "09:00:04", "09:00:05"].map((time) => at("192.168.1.102", time)),
  at("192.168.1.102", "09:00:06", "success"),
  // a success that comes too late
  ...["09:30:00", "09:30:01", "09:30:02"].map((time) => at("192.168.1.103", time)),
  at("192.168.1.103", "09:40:00", "success")
]

const text = new TextDecoder()

/** Generated ones, each up to four seconds early: less than the watermark waits. */
const generated = (() => {
  const source = makeLogins({ seed: 11, guessShare: 0.2 })
  return Array.from({ length: 3000 }, (_, index): Attempt => {
    const { bytes, length } = source.next(Date.UTC(2025, 11, 6) + index * 2000 - ((index * 7919) % 4000))
    return JSON.parse(text.decode(bytes.subarray(0, length))) as Attempt // the generator's own
  })
})()

const timeOf = ({ timestamp }: Attempt) => Date.parse(timestamp)

const attempts = [...byHand.toSorted((one, other) => timeOf(one) - timeOf(other)), ...generated]

interface Alert {
  readonly [field: string]: unknown
  readonly kind: string
  readonly ip: string
}

const windowOf = (ms: number) => [ms, ms + 600_000].map((time) => new Date(time).toISOString().slice(11, 16)).join("-")

/** By one loop over an address's attempts in the order of their times. */
const alertsOf = (own: ReadonlyArray<Attempt>): ReadonlyArray<string> => {
  const found: Array<string> = []
  const told = (kind: string, from: number) => found.push(`${kind} ${own[0]!.ip} 3 ${windowOf(from)}`)
  let failures: Array<number> = []
  /** Those that a success has not been held against. */
  let open: Array<number> = []
  for (const { result, timestamp } of own) {
    const time = Date.parse(timestamp)
    const recent = (times: ReadonlyArray<number>) => times.filter((each) => time - each < 600_000)
    failures = recent(failures)
    open = recent(open)
    if (result === "failed") {
      failures.push(time)
      open.push(time)
      if (failures.length === 3) {
        told("failed_logins", failures[0]!)
        failures = []
      }
    } else if (open.length >= 3) {
      told("failed_logins_then_success", open[0]!)
      open = []
    }
  }
  return found
}

const expected = (() => {
  const byIp = new Map<string, Array<Attempt>>()
  for (const attempt of attempts) byIp.set(attempt.ip, [...(byIp.get(attempt.ip) ?? []), attempt])
  const sorted = [...byIp.values()].map((own) => own.toSorted((one, other) => timeOf(one) - timeOf(other)))
  return sorted.flatMap(alertsOf).sort()
})()

const place = makePlaceOf({
  authentication: attempts.map((attempt) => `${JSON.stringify(attempt)}\n`).join("") + '{"torn\n'
})

const run = (where: Place, given: RunIn = {}) => runIn(where, { ...given, flows: ["security"] })

const alertsIn = (data: string) =>
  Effect.map(
    readTopic("security-alerts"),
    (records) => records.map(({ value }) => JSON.parse(value) as Alert) // what the pipeline wrote
  ).pipe(Effect.provide(systemLayer(dataDirectory(data))))

const lines = (alerts: ReadonlyArray<Alert>) =>
  alerts
    .map(
      ({ failed_attempts, ip, kind, time_window }) => `${kind} ${ip} ${String(failed_attempts)} ${String(time_window)}`
    )
    .sort()

describe("failed logins", () => {
  for (const parallelism of parallelisms) {
    it.live(
      `from an address, on ${parallelism} threads, become the documents' alert; and every other one that a loop finds, once`,
      () =>
        Effect.gen(function* () {
          const made = yield* place
          const summary = yield* run(made, { parallelism })
          const alerts = yield* alertsIn(made.data)
          const [first] = alerts.filter(({ ip }) => ip === documented.ip)
          assert.deepInclude(first, documentedAlert)
          assert.deepStrictEqual(lines(alerts), expected)
          assert.isAbove(expected.filter((line) => line.startsWith("failed_logins ")).length, 80)
          assert.isAbove(expected.filter((line) => line.startsWith("failed_logins_then_success ")).length, 10)
          assert.deepInclude(summary.jobs[0], { job: "security", in: attempts.length + 1, dead_lettered: 1, late: 0 })
        })
    )
  }

  it.live("are found once by threads that die", () =>
    Effect.gen(function* () {
      const made = yield* place
      const summary = yield* runDying(run, made)
      assert.deepStrictEqual(lines(yield* alertsIn(made.data)), expected)
      assert.deepInclude(summary.jobs[0], { job: "security", in: attempts.length + 1, dead_lettered: 1, late: 0 })
    })
  )

  for (const [name, nth] of epochCrossings) {
    it.live(`are found once after a crash at ${name}, crossing ${nth}`, () =>
      Effect.gen(function* () {
        const made = yield* place
        yield* crashAndFinish((given) => run(made, given), name, nth)
        assert.deepStrictEqual(lines(yield* alertsIn(made.data)), expected)
      })
    )
  }
})
