/** Sessions from clicks to summaries: the documents' own event, and generated clicks against a plain loop. */
import { assert, describe, it } from "@effect/vitest"
import { FaultPoint } from "@frazil/core"
import { sessionSummaries } from "@frazil/flows"
import { type Click, Clickstream } from "@frazil/model"
import { Effect } from "effect"
import { makeClicks } from "../../src/generate/Clicks.ts"
import { appendRecords, flowWorld, linesOf, recordsOf, runToEnd } from "./FlowWorld.ts"

type Line = Omit<typeof Click.Encoded, "timestamp"> & { readonly timestamp: string }

const userOf = ({ user_id }: Line) => user_id
const summary = ["user_id", "session_start_time", "session_end_time", "clicks", "products", "categories", "duration_ms"]

/** As the documents have it. */
const viewed: Line = {
  user_id: "U789",
  event_type: "product_view",
  product_id: "P123",
  timestamp: "2025-12-05T14:30:22Z"
}

const click = (timestamp: string, more: Partial<Line> = {}): Line => ({
  user_id: "U789",
  event_type: "product_view",
  timestamp: `2025-12-05T${timestamp}Z`,
  ...more
})

const generated = (count: number): ReadonlyArray<Line> => {
  const source = makeClicks({ seed: 7 })
  const text = new TextDecoder()
  return Array.from({ length: count }, (_, index) => {
    const { bytes, length } = source.next(Date.UTC(2025, 11, 5) + index * 7_000)
    return JSON.parse(text.decode(bytes.subarray(0, length))) as Line
  })
}

/** Summaries of clicks in the order of their times, as `linesOf` has them. */
const expected = (clicks: ReadonlyArray<Line>): ReadonlyArray<string> => {
  const open = new Map<string, Array<Line>>()
  const over: Array<ReadonlyArray<Line>> = []
  for (const each of clicks) {
    const before = open.get(each.user_id)
    const last = before?.at(-1)
    if (last !== undefined && Date.parse(each.timestamp) - Date.parse(last.timestamp) <= 30 * 60_000) {
      before!.push(each)
      continue
    }
    if (before !== undefined) over.push(before)
    open.set(each.user_id, [each])
  }
  return [...over, ...open.values()]
    .map((session) => {
      const [from, to] = [session[0]!.timestamp, session.at(-1)!.timestamp]
      const once = (values: ReadonlyArray<string | null | undefined>) => [...new Set(values.filter(Boolean))].join(",")
      const products = once(session.map(({ product_id }) => product_id))
      const categories = once(session.map(({ category }) => category))
      return `${session[0]!.user_id} ${from} ${to} ${session.length} ${products} ${categories} ${Date.parse(to) - Date.parse(from)}`
    })
    .toSorted()
}

describe("session summaries", () => {
  it.live("tell of the documents' event: a session of one click, that lasted no time", () =>
    Effect.gen(function* () {
      yield* appendRecords(Clickstream, [viewed], userOf)
      yield* runToEnd(sessionSummaries)
      assert.deepStrictEqual(yield* recordsOf("session-summaries"), [
        {
          user_id: "U789",
          session_start_time: "2025-12-05T14:30:22.000Z",
          session_end_time: "2025-12-05T14:30:22.000Z",
          clicks: 1,
          products: ["P123"],
          categories: [],
          duration_ms: 0
        }
      ])
    }).pipe(Effect.provide(flowWorld))
  )

  it.live("join what follows within 30 minutes, that very moment included, and begin anew a millisecond later", () =>
    Effect.gen(function* () {
      const clicks = [
        viewed,
        click("15:00:22", { product_id: "P7", category: "shoes" }),
        // a little out of order
        click("14:59:59", { product_id: "P123", category: "books" }),
        click("15:00:30", { event_type: "purchase", product_id: "P7", category: "shoes" }),
        click("15:30:30.001", { product_id: "P9" }),
        { ...click("15:30:30.001"), user_id: "U1", event_type: "search" }
      ]
      yield* appendRecords(Clickstream, clicks, userOf)
      yield* runToEnd(sessionSummaries)
      assert.deepStrictEqual(yield* linesOf("session-summaries", ...summary), [
        "U1 2025-12-05T15:30:30.001Z 2025-12-05T15:30:30.001Z 1   0",
        "U789 2025-12-05T14:30:22.000Z 2025-12-05T15:00:30.000Z 4 P123,P7 books,shoes 1808000",
        "U789 2025-12-05T15:30:30.001Z 2025-12-05T15:30:30.001Z 1 P9  0"
      ])
      assert.deepStrictEqual(yield* recordsOf("late-and-dropped"), [])
    }).pipe(Effect.provide(flowWorld))
  )

  it.live("leave a click that is too late in the ledger, and tell each session once", () =>
    Effect.gen(function* () {
      // one user: one partition
      const clicks = [click("14:00:00"), click("14:20:00"), click("14:50:00"), click("15:22:00"), click("14:25:00")]
      yield* appendRecords(Clickstream, clicks, userOf)
      yield* runToEnd(sessionSummaries)
      assert.deepStrictEqual(yield* linesOf("session-summaries", "session_start_time", "clicks"), [
        "2025-12-05T14:00:00.000Z 3",
        "2025-12-05T15:22:00.000Z 1"
      ])
      const [late] = yield* recordsOf("late-and-dropped")
      assert.deepInclude(late, { operator: "sessions", reason: "late", key: "U789", lateness_ms: 56 * 60_000 })
    }).pipe(Effect.provide(flowWorld))
  )

  it.live("of generated clicks are those of a plain loop, also after a crash", () =>
    Effect.gen(function* () {
      const clicks = generated(4_000)
      const answers = expected(clicks)
      // sessions that go on, and users who come back
      assert.isAbove(answers.length, 300)
      assert.isBelow(answers.length, 3_000)
      yield* appendRecords(Clickstream, clicks, userOf)
      let crossings = 0
      const crashing = Effect.provideService(runToEnd(sessionSummaries), FaultPoint, {
        hit: (name) =>
          name === "before-epoch-commit" && ++crossings === 2 ? Effect.die(new Error("crash")) : Effect.void
      })
      yield* Effect.exit(crashing)
      yield* runToEnd(sessionSummaries)
      assert.deepStrictEqual(yield* linesOf("session-summaries", ...summary), answers)
      assert.deepStrictEqual(yield* recordsOf("late-and-dropped"), [])
      assert.deepStrictEqual(yield* recordsOf("dead-letter"), [])
    }).pipe(Effect.provide(flowWorld))
  )
})
