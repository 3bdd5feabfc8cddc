/**
 * Golden runs of the documents' session example: their click, and generated ones, go through the whole pipeline; the
 * summaries are those that a plain loop finds, again with a crash at every fault point of the epoch.
 */
import { dataDirectory, systemLayer } from "@frazil/platform"
import { kinds } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { crashAndFinish, epochCrossings } from "./support/Crash.ts"
import { parallelisms, runDying } from "./support/DyingThreads.ts"
import { readTopic } from "./support/LeftBehind.ts"
import { makePlaceOf, type Place, type RunIn, runIn } from "./support/PipelineRun.ts"

interface Click {
  readonly user_id: string
  readonly product_id?: string
  readonly category?: string
  readonly timestamp: string
}

/** The documents' own event: `003`, example 2. */
const documented =
  '{"user_id": "U789", "event_type": "product_view", "product_id": "P123", "timestamp": "2025-12-05T14:30:22Z"}'

const text = new TextDecoder()

/** Seven seconds apart, each up to twenty early: less than the watermark waits. */
const generated = (() => {
  const source = kinds.clicks.source(11)
  return Array.from({ length: 3_000 }, (_, index) => {
    const { bytes, length } = source.next(Date.UTC(2025, 11, 6) + index * 7_000 - ((index * 7_919) % 20_000))
    return text.decode(bytes.subarray(0, length))
  })
})()

const lines = [documented, ...generated, '{"user_id": "U1", "event_type": "torn']
const clicks = [documented, ...generated].map((line) => JSON.parse(line) as Click) // the contract's

const sessionText = (session: ReadonlyArray<Click>): string => {
  const once = (values: ReadonlyArray<string | undefined>) => [
    ...new Set(values.filter((value) => value !== undefined))
  ]
  const [from, to] = [Date.parse(session[0]!.timestamp), Date.parse(session.at(-1)!.timestamp)]
  return JSON.stringify([
    session[0]!.user_id,
    new Date(from).toISOString(),
    new Date(to).toISOString(),
    session.length,
    once(session.map(({ product_id }) => product_id)),
    once(session.map(({ category }) => category)),
    to - from
  ])
}

/** By one loop over a user's clicks in the order of their times. */
const sessionsOf = (own: ReadonlyArray<Click>): ReadonlyArray<string> => {
  const sessions: Array<Array<Click>> = []
  for (const click of own.toSorted((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp))) {
    const last = sessions.at(-1)?.at(-1)
    const goesOn = last !== undefined && Date.parse(click.timestamp) - Date.parse(last.timestamp) <= 1_800_000
    if (goesOn) sessions.at(-1)!.push(click)
    else sessions.push([click])
  }
  return sessions.map(sessionText)
}

const expected = [...Map.groupBy(clicks, ({ user_id }) => user_id).values()].flatMap(sessionsOf).sort()

const place = makePlaceOf({ clickstream: lines.map((line) => `${line}\n`).join("") })
const run = (where: Place, given: RunIn = {}) => runIn(where, { ...given, flows: ["sessions"] })

const summariesIn = (data: string) =>
  Effect.map(readTopic("session-summaries"), (records) =>
    records
      .map(({ value }) => {
        const found = JSON.parse(value) as Record<string, unknown> // what the pipeline wrote
        const fields = ["user_id", "session_start_time", "session_end_time", "clicks", "products", "categories"]
        return JSON.stringify([...fields, "duration_ms"].map((field) => found[field]))
      })
      .sort()
  ).pipe(Effect.provide(systemLayer(dataDirectory(data))))

describe("sessions", () => {
  for (const parallelism of parallelisms) {
    it.live(`are summed up on ${parallelism} threads, the documents' click and every other one, each once`, () =>
      Effect.gen(function* () {
        const made = yield* place
        const summary = yield* run(made, { parallelism })
        const found = yield* summariesIn(made.data)
        assert.deepStrictEqual(found, expected)
        assert.isAbove(expected.length, 200)
        const first = ["U789", "2025-12-05T14:30:22.000Z", "2025-12-05T14:30:22.000Z", 1, ["P123"], [], 0]
        assert.include(found, JSON.stringify(first))
        assert.deepInclude(summary.jobs[0], { job: "session-summaries", in: lines.length, dead_lettered: 1, late: 0 })
      })
    )
  }

  it.live("are summed up once by threads that die", () =>
    Effect.gen(function* () {
      const made = yield* place
      const summary = yield* runDying(run, made)
      assert.deepStrictEqual(yield* summariesIn(made.data), expected)
      assert.deepInclude(summary.jobs[0], { job: "session-summaries", in: lines.length, dead_lettered: 1, late: 0 })
    })
  )

  for (const [name, nth] of epochCrossings) {
    it.live(`are told once after a crash at ${name}, crossing ${nth}`, () =>
      Effect.gen(function* () {
        const made = yield* place
        yield* crashAndFinish((given) => run(made, given), name, nth)
        assert.deepStrictEqual(yield* summariesIn(made.data), expected)
      })
    )
  }
})
