/**
 * Flink SQL's final rows for Nexmark's queries over the same events: equal.
 *
 * The events are in nexmark-flink's own form, below `person`, `auction` and `bid`: both read the same lines. One file, one
 * thread, a watermark after every event there, as here. Half of the inputs are asked only when FRAZIL_FOREIGN is `full`.
 */
import { makeRandom } from "@frazil/sim"
import { flinkSql, type FlinkRow } from "@frazil/sim/flink"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeNexmark, type GenerateOptions } from "../../src/nexmark/Generate.ts"
import { queries } from "../../src/nexmark/queries/index.ts"
import { runQuery } from "../../src/nexmark/RunQuery.ts"
import { flinkQueries, tables } from "./FlinkQueries.ts"

type Json = Readonly<Record<string, unknown>>

const kinds = ["person", "auction", "bid"]

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The event as nexmark-flink writes it. */
const nested = (line: string): string => {
  const { event_type, ...fields } = JSON.parse(line) as Json // as the generator writes it
  const event = Object.entries(fields).map(([name, value]) => [
    camel(name),
    name === "date_time" || name === "expires" ? String(value).replace("Z", "") : value
  ])
  return JSON.stringify({
    event_type: kinds.indexOf(String(event_type)),
    person: null,
    auction: null,
    bid: null,
    [String(event_type)]: Object.fromEntries(event)
  })
}

const events = (count: number, options: GenerateOptions): ReadonlyArray<string> => {
  const next = makeNexmark(options)
  return Array.from({ length: count }, () => nested(next()))
}

/** Each event up to so many places later. */
const shuffled = (lines: ReadonlyArray<string>, seed: number, places: number): ReadonlyArray<string> => {
  const random = makeRandom(seed)
  return lines
    .map((line, index) => ({ line, place: index + random.below(places) }))
    .sort((left, right) => left.place - right.place)
    .map(({ line }) => line)
}

/** The events at whole seconds, with few prices: much is equal, and lies on the ends of windows. */
const crowded = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.map((line) =>
    line
      .replace(/"price":(\d+)/, (_, price: string) => `"price":${2_000_000 + (Number(price) % 20)}`)
      .replaceAll(/(T\d\d:\d\d:\d\d)\.\d{3}/g, "$1.000")
  )

const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?$/
const decimal = /^-?\d+\.\d+$/

/** One way to write a value: times in milliseconds, numbers without trailing zeros. */
const plain = (value: unknown): unknown => {
  if (typeof value !== "string") return value ?? null
  if (time.test(value)) return Date.parse(value.endsWith("Z") ? value : `${value}Z`)
  return decimal.test(value) ? Number(value) : value
}

const rowText = (row: Json): string =>
  JSON.stringify(
    Object.entries(row)
      .map(([name, value]) => [snake(name), plain(value)] as const)
      .sort(([left], [right]) => (left < right ? -1 : 1))
  )

const full = process.env["FRAZIL_FOREIGN"] === "full"

interface Events {
  /** For every change. */
  readonly often?: true
  readonly name: string
  readonly lines: ReadonlyArray<string>
}

const inputs: ReadonlyArray<Events> = [
  { often: true, name: "in order, 40 s of them", lines: events(10_000, { seed: 1, rate: 250 }) },
  {
    name: "out of order within the watermark",
    lines: events(8000, { seed: 2, rate: 200, outOfOrderGroup: 700 })
  },
  {
    name: "shuffled within the watermark",
    lines: shuffled(events(8000, { seed: 3, rate: 400 }), 4, 1200)
  },
  { often: true, name: "at whole seconds, with few prices", lines: crowded(events(4000, { seed: 8, rate: 20 })) },
  {
    name: "of hours, in groups out of order",
    lines: events(6000, { seed: 5, rate: 0.5, outOfOrderGroup: 100 })
  },
  {
    often: true,
    name: "shuffled beyond the watermark",
    lines: shuffled(events(8000, { seed: 6, rate: 200 }), 7, 3600)
  }
]

/** Queries that say nothing about some of the inputs. */
const mayBeEmpty: ReadonlySet<string> = new Set(["raised", "eager", "q8"])

/**
 * Rows of a ranking, told apart as far as SQL tells them: of equal prices either may come first, and at the last rank either
 * may be left out. Flink goes by arrival there, we by time.
 */
const untied = (rows: ReadonlyArray<Json>): ReadonlyArray<Json> => {
  const byRank = new Map(rows.map((row) => [`${String(row["auction"])} ${String(row["rank_number"])}`, row]))
  return rows.map((row) => {
    const at = (rank: number) => byRank.get(`${String(row["auction"])} ${rank}`)?.["price"]
    if (at(10) === row["price"]) return { auction: row["auction"], price: row["price"] }
    let rank = 1
    while (at(rank) !== row["price"]) rank++
    return { ...row, rank_number: rank }
  })
}

const sorted = (rows: ReadonlyArray<Json>): ReadonlyArray<string> => rows.map(rowText).sort()

/** Rows that one has more often than the other; a few. */
const surplus = (rows: ReadonlyArray<string>, others: ReadonlyArray<string>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const row of others) counts.set(row, (counts.get(row) ?? 0) + 1)
  return rows
    .filter((row) => {
      const left = counts.get(row) ?? 0
      counts.set(row, left - 1)
      return left <= 0
    })
    .slice(0, 5)
}

const rowsOf = (rows: ReadonlyArray<FlinkRow>, number: number) =>
  rows.filter(({ q }) => q === number).map(({ row }) => row)

describe("Flink SQL, asked Nexmark's queries", () => {
  for (const { lines, name, often = false } of inputs) {
    it.live.skipIf(!full && !often)(
      `gives the same final rows: events ${name}`,
      () =>
        Effect.gen(function* () {
          const statements = queries.map((query) => flinkQueries[query.name as keyof typeof flinkQueries])
          const rows = yield* flinkSql(lines, [...tables, ...statements], { final: true })
          for (const [index, query] of queries.entries()) {
            const found = yield* runQuery(query, lines)
            assert.strictEqual(found.deadLettered, 0, query.name)
            const known = query.name === "q19" ? untied : (rows: ReadonlyArray<Json>) => rows
            const expected = sorted(known(rowsOf(rows, tables.length + index + 1)))
            const ours = sorted(known(found.rows.map((row) => JSON.parse(row) as Json)))
            if (!mayBeEmpty.has(query.name)) assert.isAbove(expected.length, 0, query.name)
            const difference = { ours: surplus(ours, expected), flink: surplus(expected, ours) }
            assert.deepStrictEqual(difference, { ours: [], flink: [] }, query.name)
          }
        }),
      600_000
    )
  }
})
