/**
 * Filters that make no sense, or are meant to do harm: every place that takes one refuses it in words and changes nothing;
 * values are values, whatever SQL they look like.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { Filter } from "../../src/read/Filter.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { streamTable } from "../../src/read/StreamTable.ts"
import { appendRows, overwriteRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { createAccounts, layerLake, load, readAccounts, rowsSql, table } from "../write/change/ChangeFixture.ts"
import { expectUntouched } from "../write/change/Untouched.ts"

const deep = (depth: number): Filter => {
  let filter: Filter = { _tag: "IsNull", column: "id" }
  for (let i = 0; i < depth; i++) filter = { _tag: "Not", filter }
  return filter
}

const wide = (count: number): Filter => ({
  _tag: "Or",
  filters: Array.from({ length: count }, (_, i) => ({
    _tag: "Compare",
    column: "id",
    operator: "=",
    value: BigInt(100 + i)
  }))
})

/** A filter as it may come in from outside, out of JSON. */
const foreign = (filter: unknown): Filter => filter as Filter // what no caller of ours could write

const bad: ReadonlyArray<readonly [what: string, filter: Filter, says: RegExp]> = [
  ["an unknown column, compared", { _tag: "Compare", column: "nope", operator: "=", value: 1n }, /nope, which is no/],
  ["an unknown column that may be null", { _tag: "IsNull", column: "nope" }, /nope, which is no column/],
  ["an unknown column within Not", { _tag: "Not", filter: { _tag: "NotNull", column: "nope" } }, /nope, which is no/],
  [
    "SQL for a column",
    { _tag: "IsNull", column: 'id" IS NULL OR true OR "id' },
    /id" IS NULL OR true OR "id, which is no/
  ],
  [
    "SQL for an operator",
    foreign({ _tag: "Compare", column: "id", operator: "= 1 OR 1 =", value: 1n }),
    /compares id in a way that is none of =, <, <=, >, >=/
  ],
  [
    "SQL for a number",
    foreign({ _tag: "Compare", column: "id", operator: "=", value: "1 OR true" }),
    /a value for id that is no long/
  ],
  [
    "a number for text",
    foreign({ _tag: "In", column: "country", values: ["de", 7] }),
    /a value for country that is no/
  ],
  ["a number beyond its type", { _tag: "Compare", column: "id", operator: "<", value: 2n ** 63n }, /that is no long/],
  [
    "a decimal beyond its precision",
    { _tag: "Compare", column: "balance", operator: "<", value: 10n ** 12n },
    /that is no decimal\(12, 2\)/
  ],
  ["no text at the beginning", foreign({ _tag: "StartsWith", column: "country", prefix: 7 }), /no text/],
  [
    "the beginning of a number",
    { _tag: "StartsWith", column: "id", prefix: "1" },
    /starts with, which is no column of text/
  ],
  ["a kind of filter that is none", foreign({ _tag: "Sql", text: "true" }), /no filter/],
  ["filters in filters without end", deep(100_000), /more than \d+ deep/],
  ["more conditions than anybody writes", wide(100_000), /more than \d+ conditions/]
]

describe("a filter that makes no sense", () => {
  for (const [what, filter, says] of bad) {
    it.live(`is refused by deletes, overwrites and scans, and nothing is changed: ${what}`, () =>
      Effect.gen(function* () {
        yield* createAccounts([])
        yield* appendRows(table, rowsSql([{ id: 1, country: "de", cents: 5 }]))
        const scanned = Effect.flatMap(load, (loaded) => Effect.asVoid(planScan(loaded, { filter })))
        const read = Effect.flatMap(load, (loaded) => Effect.asVoid(readTable(loaded, { filter })))
        const streamed = Effect.flatMap(load, (loaded) => Stream.runDrain(streamTable(loaded, { filter })))
        const overwritten = overwriteRows(table, filter, rowsSql([{ id: 2, country: "fr", cents: 5 }]))
        const outcomes = [
          yield* expectUntouched(deleteRows(table, filter), "Invalid"),
          yield* expectUntouched(overwritten, "Invalid"),
          yield* expectUntouched(scanned, "Invalid"),
          yield* expectUntouched(read, "Invalid"),
          yield* expectUntouched(streamed, "Invalid")
        ]
        for (const { error, left } of outcomes) {
          assert.match(error.message, says)
          assert.deepStrictEqual(left, [])
        }
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("is refused of a table without rows, too", () =>
    Effect.gen(function* () {
      yield* createAccounts([])
      const { error } = yield* expectUntouched(deleteRows(table, { _tag: "IsNull", column: "nope" }), "Invalid")
      assert.match(error.message, /nope/)
    }).pipe(Effect.provide(layerLake))
  )
})

const harmless: ReadonlyArray<Filter> = [
  { _tag: "Compare", column: "country", operator: "=", value: "' OR true --" },
  { _tag: "In", column: "country", values: ["'); DROP TABLE t; --", "\\' OR 1=1"] },
  { _tag: "StartsWith", column: "country", prefix: "de' OR 'a' = 'a" },
  { _tag: "Compare", column: "country", operator: "=", value: "de\u0000" },
  wide(1_000),
  { _tag: "And", filters: [deep(60), deep(60)] }
]

describe("a value of a filter", () => {
  it.live("is a value, whatever SQL it looks like, and a long filter means what it says", () =>
    Effect.gen(function* () {
      yield* createAccounts([])
      yield* appendRows(table, rowsSql([{ id: 1, country: "de", cents: 5 }]))
      for (const filter of harmless) assert.isUndefined(yield* deleteRows(table, filter))
      yield* appendRows(table, "SELECT 2 AS id, '''; DROP TABLE t; --' AS country, 1.00 AS balance")
      yield* deleteRows(table, { _tag: "Compare", column: "country", operator: "=", value: "'; DROP TABLE t; --" })
      assert.deepStrictEqual(yield* readAccounts(), ["1|de|0.05"])
    }).pipe(Effect.provide(layerLake))
  )
})
