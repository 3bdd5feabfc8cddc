/**
 * Bad input through windows, patterns, joins and state at once: every record is in each operator's results, in the ledger,
 * or a dead letter, as a plain recount of the input has it, and what is said of it is clear.
 */
import { expr, Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { count, Flow, Job, max, min, Pattern, sum, Window } from "../../src/index.ts"
import { append, type Line, readAll, runToEnd, world } from "../support/Harness.ts"

class Reading extends Schema.Opaque<Reading>()(
  Schema.Struct({
    sensor: Field.text(),
    n: Field.int(),
    value: Field.double(),
    note: Field.optional(Field.text()),
    at: Field.timestamp
  })
) {}
class Minute extends Schema.Opaque<Minute>()(
  Schema.Struct({
    sensor: Field.text(),
    window_start: Field.timestamp,
    window_end: Field.timestamp,
    revision: Field.int(),
    count: Field.int(),
    total: Field.optional(Field.double()),
    least: Field.optional(Field.double()),
    most: Field.optional(Field.double())
  })
) {}
class Seen extends Schema.Opaque<Seen>()(
  Schema.Struct({ sensor: Field.text(), n: Field.int(), note: Field.optional(Field.text()) })
) {}

const Readings = Topic.make("readings", { schema: Reading, key: "sensor", eventTime: "at", partitions: 2 })
const Minutes = Topic.make("minutes", { schema: Minute, key: "sensor", partitions: 1 })
const seenIn = (name: string) => Topic.make(name, { schema: Seen, key: "sensor", partitions: 1 })

const keyed = Flow.from(Readings).pipe(Flow.eventTime("at", { outOfOrderness: "5s" }), Flow.keyBy("sensor"))
const perKey = 500

/** Four operators, each of which has every record in its results once. */
const job = Job.make("readings", [
  keyed.pipe(
    Flow.window(
      Window.tumbling("1 minute", { allowedLateness: "0s" }),
      { count: count(), total: sum("value"), least: min("value"), most: max("value") },
      { name: "minutes" }
    ),
    Flow.to(Minutes)
  ),
  keyed.pipe(
    Flow.mapWithState(
      { name: "last", schema: Schema.Finite, initial: () => 0, ttl: "1 day" },
      (_, { n, note, sensor }) => [n, [{ sensor, n, note: note ?? null }]]
    ),
    Flow.to(seenIn("states"))
  ),
  keyed.pipe(
    Flow.pattern(Pattern.on(Readings).begin("each", expr("n >= 0")).within("1 minute", { skip: "noSkip" }), {
      name: "each"
    }),
    Flow.map(({ steps: { each } }) => ({ sensor: each.sensor, n: each.n, note: each.note ?? null })),
    Flow.to(seenIn("matches"))
  ),
  keyed.pipe(
    Flow.joinInterval(
      keyed,
      { lower: "0s", upper: "0s", recordsPerKeyMax: perKey, name: "itself" },
      ({ n, note, sensor }) => ({
        sensor,
        n,
        note: note ?? null
      })
    ),
    Flow.to(seenIn("pairs"))
  )
])

const startMs = Date.UTC(2026, 0, 14, 12)
const at = (ms: number) => new Date(startMs + ms).toISOString()
const line = (sensor: string, n: number, ms: number, more: object = {}): Line => ({
  key: sensor,
  value: JSON.stringify({ sensor, n, value: n, at: at(ms), ...more })
})
const calm = (records: number, from = 0): ReadonlyArray<Line> =>
  Array.from({ length: records }, (_, i) => line(`S${i % 4}`, from + i, (from + i) * 500))

interface Entry {
  readonly operator: string
  readonly reason: string
  readonly lateness_ms?: number
  readonly record: string
}
interface Letter {
  readonly reason: string
  readonly field?: string
  readonly message: string
}

const saying = ({ field, message, reason }: Letter): string =>
  `${reason}${field === undefined ? "" : ` ${field}`}: ${message}`

/** Runs the job over the lines and recounts: each operator's results, the ledger and the letters are all there was. */
const recounted = (lines: ReadonlyArray<Line>) =>
  Effect.gen(function* () {
    yield* append(Readings, lines)
    yield* runToEnd(job, { epochRecords: 200 })
    const jsonOf = <A>(topic: string) =>
      Effect.map(readAll(topic), (records) => records.map(({ value }) => JSON.parse(value) as A)) // written by the job
    const minutes = yield* jsonOf<{
      sensor: string
      window_start: string
      count: number
      least: number
      most: number
      total: number
    }>("minutes")
    const [states, matches, pairs] = yield* Effect.forEach(["states", "matches", "pairs"], (topic) =>
      jsonOf<{ sensor: string; n: number; note?: string }>(topic)
    )
    const ledger = yield* jsonOf<Entry>("ledger").pipe(Effect.catch(() => Effect.succeed([])))
    const letters = yield* jsonOf<Letter>("dead-letter").pipe(Effect.catch(() => Effect.succeed([])))
    // a record is refused by both sides of the join, and lost once
    const lost = (operator: string) =>
      new Set(
        ledger.flatMap((entry) =>
          entry.operator === operator && (entry.reason === "late" || entry.reason === "evicted") ? [entry.record] : []
        )
      ).size
    const inWindows = minutes.reduce((sum, each) => sum + each.count, 0)
    const read = { window: inWindows + lost("minutes"), pattern: matches!.length + lost("each") }
    assert.deepStrictEqual(
      { ...read, join: pairs!.length + lost("itself"), state: states!.length },
      {
        window: lines.length - letters.length,
        pattern: lines.length - letters.length,
        join: lines.length - letters.length,
        state: lines.length - letters.length
      }
    )
    return { minutes, states: states!, matches: matches!, pairs: pairs!, ledger, letters }
  })

describe("bad input", () => {
  it.live("a clock a year ahead moves nobody's time: no window closes, nothing is late, the ledger says so", () =>
    Effect.gen(function* () {
      const ahead = line("S0", 1_000, 365 * 86_400_000)
      const lines = [...calm(200), ahead, ...calm(200, 200)]
      const { ledger, minutes } = yield* recounted(lines)
      assert.deepStrictEqual(
        ledger.map(({ operator, reason }) => `${operator} ${reason}`),
        ["readings lead"]
      )
      assert.strictEqual(JSON.parse(ledger[0]!.record).n, 1_000)
      assert.isBelow(ledger[0]!.lateness_ms!, -364 * 86_400_000)
      // every minute once, complete
      const expected = new Map<string, number>()
      for (const { value } of lines) {
        const { at: time, sensor }: { at: string; sensor: string } = JSON.parse(value)
        const name = `${sensor} ${time.slice(0, 16)}`
        expected.set(name, (expected.get(name) ?? 0) + 1)
      }
      assert.deepStrictEqual(
        minutes.map(({ count, sensor, window_start }) => `${sensor} ${window_start.slice(0, 16)} ${count}`).toSorted(),
        [...expected].map(([name, count]) => `${name} ${count}`).toSorted()
      )
    }).pipe(Effect.provide(world))
  )

  it.live("a key of 1 MB is a key like any other", () =>
    Effect.gen(function* () {
      const long = "K".repeat(1_000_000)
      const { states } = yield* recounted([
        ...calm(40),
        line(long, 40, 20_000),
        line(long, 41, 20_500),
        ...calm(40, 42)
      ])
      assert.strictEqual(states.filter(({ sensor }) => sensor === long).length, 2)
    }).pipe(Effect.provide(world))
  )

  it.live("a key with half of all records reaches its own bounds, and nobody else's", () =>
    Effect.gen(function* () {
      // all of one moment's neighbourhood, so that nothing is over while they come
      const lines = Array.from({ length: 4_000 }, (_, i) => line(i % 2 === 0 ? "hot" : `S${i % 16}`, i, i))
      const { ledger, minutes, pairs } = yield* recounted(lines)
      const evicted = ledger.filter(({ reason }) => reason === "evicted")
      assert.isAbove(evicted.length, 0)
      for (const { operator, record } of evicted)
        assert.deepStrictEqual([operator, JSON.parse(record).sensor], ["itself", "hot"])
      assert.strictEqual(pairs.filter(({ sensor }) => sensor !== "hot").length, 2_000)
      assert.strictEqual(
        minutes.filter(({ sensor }) => sensor === "hot").reduce((sum, each) => sum + each.count, 0),
        2_000
      )
    }).pipe(Effect.provide(world))
  )

  it.live("what is no number is a dead letter that names the field; zero has no sign in results", () =>
    Effect.gen(function* () {
      const odd = (text: string, n: number): Line => ({
        key: "S1",
        value: `{"sensor":"S1","n":${n},"value":${text},"at":"${at(n * 500)}"}`
      })
      const texts = ["1e999", "-1e999", "NaN", "Infinity", '"NaN"', "null", "-0", "1e308", "-1e308", "5e-324"]
      const { letters, minutes } = yield* recounted([...calm(8), ...texts.map((text, i) => odd(text, 8 + i))])
      assert.deepStrictEqual(letters.map(saying).toSorted(), [
        "not_json: the record is not JSON, or is cut off",
        "not_json: the record is not JSON, or is cut off",
        "out_of_range value: field value must lie between -1.7976931348623157e+308 and 1.7976931348623157e+308",
        "out_of_range value: field value must lie between -1.7976931348623157e+308 and 1.7976931348623157e+308",
        "wrong_type value: field value must be a number, found a text",
        "wrong_type value: field value must be a number, found null"
      ])
      const found = minutes.find(({ sensor }) => sensor === "S1")!
      // what is greatest and what is least take each other away, and the rest with them
      assert.deepInclude(found, { count: 6, least: -1e308, most: 1e308 })
      assert.isTrue(Number.isFinite(found.total))
      const written = (yield* readAll("minutes")).map(({ value }) => value)
      for (const text of written) assert.notMatch(text, /NaN|Infinity|-0[,}]/)
    }).pipe(Effect.provide(world))
  )

  it.live("a window whose sum is beyond a double is a dead letter, and the others' results stand", () =>
    Effect.gen(function* () {
      const huge = (n: number) => line("S1", n, n * 500, { value: 1e308 })
      const zero = { key: "S2", value: `{"sensor":"S2","n":4,"value":-0,"at":"${at(2_000)}"}` }
      yield* append(Readings, [line("S0", 1, 500), huge(2), huge(3), zero])
      yield* runToEnd(job)
      const minutes = (yield* readAll("minutes")).map(({ value }) => value)
      assert.deepStrictEqual(minutes.map((text) => text.replace(/"window.*?"count"/, '"count"')).toSorted(), [
        '{"sensor":"S0","count":1,"total":1,"least":1,"most":1}',
        '{"sensor":"S2","count":1,"total":0,"least":0,"most":0}'
      ])
      const letters = (yield* readAll("dead-letter")).map(({ value }) => JSON.parse(value) as Letter) // made by the job
      assert.deepStrictEqual(letters.map(saying), [
        "operator_failed total: a record for topic minutes was not written: field total must lie between -1.7976931348623157e+308 and 1.7976931348623157e+308"
      ])
    }).pipe(Effect.provide(world))
  )

  it.live("a field more is ignored, an optional one less is null, a required one less is a dead letter", () =>
    Effect.gen(function* () {
      const gained = line("S0", 1, 500, { colour: "red", deep: { er: [1, null] } })
      const noted = line("S0", 2, 1_000, { note: "dry" })
      const nulled = line("S0", 3, 1_500, { note: null })
      const lost = { key: "S0", value: JSON.stringify({ sensor: "S0", n: 4, at: at(2_000) }) }
      const keyless = { key: "S0", value: JSON.stringify({ n: 5, value: 5, at: at(2_500) }) }
      const { letters, states } = yield* recounted([line("S0", 0, 0), gained, noted, nulled, lost, keyless])
      assert.deepStrictEqual(
        states.map(({ n, note }) => [n, note ?? null]),
        [
          [0, null],
          [1, null],
          [2, "dry"],
          [3, null]
        ]
      )
      assert.deepStrictEqual(letters.map(saying), [
        "missing_field value: field value is missing",
        "missing_field sensor: field sensor is missing"
      ])
    }).pipe(Effect.provide(world))
  )
})
