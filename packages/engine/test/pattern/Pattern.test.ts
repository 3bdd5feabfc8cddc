/** Patterns case by case, as Flink CEP's documentation has them: what each term finds, what the bounds do, what code may do. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Flow, Job, Pattern, type SkipStrategy } from "../../src/index.ts"
import { crashAt } from "../support/Faults.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import {
  foundOf,
  Matches,
  type PatternBounds,
  type PatternCase,
  signal,
  Signals,
  signalsJob,
  type StepCase,
  step
} from "../support/Sequences.ts"

const startMs = Date.UTC(2026, 0, 14)

/** `a1 b2 a3`: signals of one account a second apart, with these kinds and counts; `-` is a second without one. */
const signalsOf = (text: string) =>
  text
    .split(" ")
    .flatMap((word, second) =>
      word === "-" ? [] : [signal(second, "A0", word[0]!, Number(word.slice(1)), startMs + second * 1000)]
    )

const many = (min: number, max = min): Partial<StepCase> => ({ many: true, min, max })

/** What is found in these signals, as the words of each match. */
const found = (
  text: string,
  steps: ReadonlyArray<StepCase>,
  more: Partial<PatternCase> = {},
  bounds: PatternBounds = {}
) =>
  Effect.gen(function* () {
    const words = text.split(" ")
    yield* append(Signals, signalsOf(text))
    const job = signalsJob({ steps, withinMs: 60_000, skip: "noSkip", timeouts: false, ...more }, 2000, bounds)
    yield* runToEnd(job)
    const all = yield* foundOf
    const entries = (yield* readAll("ledger")).map(
      ({ value }) => JSON.parse(value) as { reason: string; record: string }
    )
    const wordsOf = (found: string) =>
      (JSON.parse(found.slice(3)) as ReadonlyArray<readonly [string, number | null | ReadonlyArray<number>]>)
        .flatMap(([, ids]) => ids ?? [])
        .map((id) => words[id])
        .join(" ")
    return {
      matches: all.matches.map(wordsOf).sort(),
      timeouts: all.timeouts.map(wordsOf).sort(),
      evicted: entries
        .filter(({ reason }) => reason === "evicted")
        .map(({ record }) => words[(JSON.parse(record) as { id: number }).id])
    }
  }).pipe(Effect.provide(world))

const matchesOf = (text: string, steps: ReadonlyArray<StepCase>, more: Partial<PatternCase> = {}) =>
  Effect.map(found(text, steps, more), ({ matches }) => matches)

const a = step("a", "a")
const b = step("b", "b")
const c = step("c", "c")

describe("a pattern", () => {
  it.live("finds the very next record with next, the first later one with followedBy", () =>
    Effect.gen(function* () {
      const text = "a1 c2 b3 a4 b5 b6"
      assert.deepStrictEqual(yield* matchesOf(text, [a, { ...b, how: "next" }]), ["a4 b5"])
      assert.deepStrictEqual(yield* matchesOf(text, [a, b]), ["a1 b3", "a4 b5"])
    })
  )

  it.live("finds nothing where notFollowedBy's record comes between, and at its end waits for within", () =>
    Effect.gen(function* () {
      const no = { ...c, how: "notFollowedBy" as const }
      assert.deepStrictEqual(yield* matchesOf("a1 c2 b3 a4 b5", [a, no, b]), ["a4 b5"])
      const withinMs = 3000
      assert.deepStrictEqual(yield* matchesOf("a1 b2 c3 a4 b5 b6 c7 a8", [a, no], { withinMs }), ["a4", "a8"])
    })
  )

  it.live("takes times, one or more and what is optional, with all ways that there are", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* matchesOf("a1 c2 a3 a4", [{ ...a, ...many(2) }]), ["a1 a3", "a3 a4"])
      const consecutive = { ...a, ...many(2), consecutive: true }
      assert.deepStrictEqual(yield* matchesOf("a1 c2 a3 a4", [consecutive]), ["a3 a4"])
      assert.deepStrictEqual(yield* matchesOf("a1 a2 b3", [{ ...a, ...many(1, 9) }, b]), ["a1 a2 b3", "a1 b3", "a2 b3"])
      assert.deepStrictEqual(yield* matchesOf("a1 a2 a3", [{ ...a, ...many(1, 2) }]), [
        "a1",
        "a1 a2",
        "a2",
        "a2 a3",
        "a3"
      ])
      const maybe = { ...b, optional: true }
      assert.deepStrictEqual(yield* matchesOf("a1 b2 c3", [a, maybe, c]), ["a1 b2 c3", "a1 c3"])
      const several = { ...b, ...many(2, 3), optional: true }
      assert.deepStrictEqual(yield* matchesOf("a1 b2 b3 c4", [a, several, c]), ["a1 b2 b3 c4", "a1 c4"])
    })
  )

  it.live("asks of earlier records: of other steps, and of its own", () =>
    Effect.gen(function* () {
      const first = { ...b, code: true, also: "first" as const }
      assert.deepStrictEqual(yield* matchesOf("a1 b1 b2 b3", [step("s0", "a"), first]), ["a1 b2"])
      const rising = { ...a, ...many(3), code: true, also: "rising" as const }
      assert.deepStrictEqual(yield* matchesOf("a1 a3 a2 a4", [rising]), ["a1 a3 a4"])
    })
  )

  it.live("ends before within does, and tells what was not done by then", () =>
    Effect.gen(function* () {
      const in3 = { withinMs: 3000, timeouts: true }
      assert.deepStrictEqual(yield* found("a1 c2 c3 b4 a5 c6 b7 a8", [a, b], in3), {
        matches: ["a5 b7"],
        timeouts: ["a1", "a8"],
        evicted: []
      })
      const three = [{ ...a, ...many(3) }]
      const { timeouts } = yield* found("a1 - a2 - - - a3 b4 a5 a6", three, in3)
      // what never began has not timed out, and each beginning is one
      assert.deepStrictEqual(timeouts, ["a1 a2", "a2", "a3 a5", "a5 a6", "a6"])
    })
  )

  it.live("skips after a match as its strategy says", () =>
    Effect.gen(function* () {
      // the example of Flink's documentation: b+ c
      const steps = [{ ...b, ...many(1, 9) }, c]
      const all = ["b1 b2 b3 c4", "b1 b2 c4", "b1 c4", "b2 b3 c4", "b2 c4", "b3 c4"]
      const text = "b1 b2 b3 c4"
      const found = (skip: SkipStrategy) => matchesOf(text, steps, { skip })
      assert.deepStrictEqual(yield* found("noSkip"), all)
      assert.deepStrictEqual(yield* found("skipToNext"), ["b1 b2 b3 c4", "b2 b3 c4", "b3 c4"])
      assert.deepStrictEqual(yield* found("skipPastLastEvent"), ["b1 b2 b3 c4"])
      assert.deepStrictEqual(yield* found({ skipToLast: "b" }), ["b1 b2 b3 c4", "b3 c4"])
      assert.deepStrictEqual(yield* found({ skipToFirst: "c" }), ["b1 b2 b3 c4"])
    })
  )

  it.live("keeps so many partial matches of a key: evicts the oldest, enters its first record, goes on", () =>
    Effect.gen(function* () {
      const capped = yield* found("a1 a2 a3 a4 b5", [a, b], {}, { partialMatchesMax: 2 })
      assert.deepStrictEqual(capped, { matches: ["a3 b5", "a4 b5"], timeouts: [], evicted: ["a1", "a2"] })
      const { evicted, matches } = yield* found("a1 a2 a3 b4", [a, b], {}, { recordsHeldMax: 2 })
      // the watermark is two seconds behind
      assert.deepStrictEqual(evicted, ["a3", "b4"])
      assert.deepStrictEqual(matches, [])
    })
  )

  it.live("tells once of a beginning whose many partial matches one record makes go", () =>
    Effect.gen(function* () {
      // every length of a loop is a partial match of its own
      const text = Array.from({ length: 12 }, (_, index) => `a${index}`).join(" ")
      const loop = { ...a, ...many(1, 50) }
      const { evicted } = yield* found(`${text} b99`, [loop, b], {}, { partialMatchesMax: 10 })
      assert.isAbove(evicted.length, 5)
      assert.isBelow(evicted.length, 30)
    })
  )

  it.live("evicts also what waits for an earlier one, so that a strategy that skips is bounded too", () =>
    Effect.gen(function* () {
      const steps = [a, step("d", "b", { ...many(2, 2) })]
      const text = "a1 a2 a3 a4 a5 a6 b7 b8"
      const { evicted, matches } = yield* found(text, steps, { skip: "skipToNext" }, { partialMatchesMax: 3 })
      assert.deepStrictEqual(evicted.slice(0, 3), ["a1", "a2", "a3"])
      assert.deepStrictEqual(matches, ["a4 b7 b8", "a5 b7 b8", "a6 b7 b8"])
    })
  )

  it.live("sends a record whose condition throws to the dead letter, and goes on as though it had not come", () =>
    Effect.gen(function* () {
      yield* append(Signals, signalsOf("a1 b2 b3"))
      const pattern = Pattern.on(Signals)
        .begin("a", (record) => record.kind === "a")
        .next("b", (record, earlier) => {
          if (record.n === 2) throw new RangeError(`${earlier.a.id}`)
          return record.kind === "b"
        })
        .within("1 minute")
      const job = Job.make("throwing", [
        Flow.from(Signals).pipe(
          Flow.eventTime("at", { outOfOrderness: "1s" }),
          Flow.keyBy("account"),
          Flow.pattern(pattern, { name: "throwing" }),
          Flow.map(({ account, steps }) => ({ account, steps: `${steps.a.n} ${steps.b.n}` })),
          Flow.to(Matches)
        )
      ])
      yield* runToEnd(job)
      assert.deepStrictEqual(
        (yield* readAll("matches")).map(({ value }) => JSON.parse(value)),
        [{ account: "A0", steps: "1 3" }]
      )
      const [letter] = (yield* readAll("dead-letter")).map(({ value }) => JSON.parse(value) as Record<string, unknown>)
      assert.strictEqual(letter!["reason"], "operator_failed")
      assert.strictEqual(letter!["offset"], 1)
      assert.include(String(letter!["message"]), "the code of throwing threw RangeError")
    }).pipe(Effect.provide(world))
  )

  it.live("holds what code made of records, through restarts, and gives it to what follows", () =>
    Effect.gen(function* () {
      yield* append(Signals, signalsOf("a1 a2 a3 a4 a5 a6"))
      const doubled = Flow.from(Signals).pipe(
        Flow.eventTime("at", { outOfOrderness: "2s" }),
        Flow.map(({ account, amount, n }) => ({ account, amount: amount.plus(amount), n: n * 2 })),
        Flow.keyBy("account"),
        Flow.patternOf((p) =>
          p
            .begin("one", () => true)
            .next("two", (record, { one }) => record.n > one.n)
            .next("three", () => true)
            .within("1 minute")
        )
      )
      const job = Job.make("changed", [
        doubled.pipe(
          Flow.map(({ account, steps: { one, three, two } }) => ({
            account,
            steps: `${one.n} ${two.n} ${three.n} ${one.amount.toString()}`
          })),
          Flow.to(Matches)
        )
      ])
      for (let records = 1; records < 6; records++)
        yield* Effect.exit(runToEnd(job, { epochRecords: 1 }).pipe(crashAt("after-epoch-commit", 1)))
      yield* runToEnd(job, { epochRecords: 1 })
      assert.deepStrictEqual(
        (yield* readAll("matches")).map(({ value }) => (JSON.parse(value) as { steps: string }).steps),
        ["2 4 6 3.00", "4 6 8 3.00", "6 8 10 3.00", "8 10 12 3.00"]
      )
    }).pipe(Effect.provide(world))
  )
})
