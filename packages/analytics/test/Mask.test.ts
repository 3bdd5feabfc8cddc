/** No query tells anything of a personal value: over tables that differ in nothing else, all answers are the same. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { type Analytics, personalColumns } from "../src/index.ts"
import { maskRelation } from "../src/read/Mask.ts"
import { maskAttacks } from "./MaskAttacks.ts"
import { makePeopleLake, People, type PeopleLake } from "./PeopleLake.ts"
import { ask, askRows } from "./Queries.ts"
import { analyticsOver } from "./TestLake.ts"

const personal = personalColumns([People])

/** Rows, or what went wrong: all that somebody gets to see; paths of the lake are the same in both. */
const seen = (lake: PeopleLake, sql: string): Effect.Effect<string, never, Analytics> =>
  Effect.map(Effect.result(ask({ sql: sql.replaceAll("FILE", lake.file) })), (result) => {
    const shown = Result.isSuccess(result)
      ? { columns: result.success.columns, rows: result.success.rows }
      : { reason: result.failure.reason, message: result.failure.message, hint: result.failure.hint }
    return JSON.stringify(shown).replaceAll(lake.folder, "")
  })

/** Numbers that somebody may know, and look for. */
const knownNumbers = (lake: PeopleLake) =>
  askRows("SELECT ssn FROM lending.people WHERE id IN ('P5', 'P6') ORDER BY id").pipe(
    Effect.map((rows) => rows.map(({ ssn }) => String(ssn))),
    Effect.provide(analyticsOver(lake))
  )

const answers = (lake: PeopleLake, [one = "", two = ""]: ReadonlyArray<string>, masked: boolean) =>
  Effect.forEach(maskAttacks, ({ sql }) => seen(lake, sql.replaceAll("ONE", one).replaceAll("TWO", two)), {
    concurrency: 2
  }).pipe(Effect.provide(analyticsOver(lake, { personal: masked ? personal : [] })))

describe("a masked table", () => {
  it.live(
    "answers no attack by what is personal",
    () =>
      Effect.gen(function* () {
        const [one, other] = [yield* makePeopleLake(1), yield* makePeopleLake(2)]
        const known = yield* knownNumbers(one)
        const differing = Effect.fnUntraced(function* (masked: boolean) {
          const both = [answers(one, known, masked), answers(other, known, masked)] as const
          const [a, b] = yield* Effect.all(both, { concurrency: "unbounded" })
          return maskAttacks.filter((_, at) => a[at] !== b[at]).map(({ sql }) => sql)
        })
        assert.deepStrictEqual(yield* differing(true), [])
        // without the mask each of them tells something: the list has teeth
        assert.deepStrictEqual(
          yield* differing(false),
          maskAttacks.filter(({ harmless }) => harmless !== true).map(({ sql }) => sql)
        )
      }),
    180_000
  )

  it.live("shows that there is a value, and every other column as it is", () =>
    Effect.gen(function* () {
      const lake = yield* makePeopleLake(1)
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(
          yield* askRows(
            "SELECT * EXCLUDE (source_partition) FROM lending.people WHERE id IN ('P1', 'P70') ORDER BY id"
          ),
          [
            ["P1", "(personal)", "FR", 1],
            ["P70", null, "DE", 70]
          ].map(([id, name, country, source_offset]) => ({
            id,
            ssn: "(personal)",
            name,
            born: null,
            income: null,
            country,
            source_topic: "people",
            source_offset,
            extra_fields: "(personal)"
          }))
        )
        const { columns } = yield* ask({ sql: "SELECT born, income FROM lending.people LIMIT 0" })
        assert.deepStrictEqual(columns, [
          { name: "born", type: "DATE" },
          { name: "income", type: "DECIMAL(12,2)" }
        ])
      }).pipe(Effect.provide(analyticsOver(lake, { personal })))
    })
  )
})

describe("a mask", () => {
  const string = { _tag: "string" } as const
  const field = (id: number, name: string) => ({ id, name, required: false, type: string })
  const schema = (...names: ReadonlyArray<string>) => ({
    schemaId: 0,
    identifierFieldIds: [],
    fields: names.map((name, at) => field(at + 1, name))
  })
  const masked = (
    name: string,
    columns: ReadonlyArray<string>,
    properties: ReadonlyArray<readonly [string, string]>
  ) => {
    const metadata = { schemas: [schema("id", "ssn"), schema(...columns)], properties: new Map(properties) }
    const parts = { plan: { schema: schema(...columns) }, table: { metadata } }
    // the parts that it reads
    return maskRelation("R", name, parts as unknown as Parameters<typeof maskRelation>[2], personal)
  }
  const over = (column: string) =>
    `SELECT * REPLACE (CASE WHEN "${column}" IS NOT NULL THEN '(personal)' END AS "${column}") FROM (R)`

  it("knows a column that was renamed by its id", () => {
    assert.strictEqual(masked("lending.people", ["id", "tax_id"], []), over("tax_id"))
    assert.strictEqual(masked("lending.people", ["id", 'a"b'], []), over('a""b'))
  })

  it("knows a table that was renamed by its marks, damaged ones too", () => {
    const mark = `{"topic":"t","next":1,"fingerprint":""}`
    for (const text of [mark, "damaged"]) {
      assert.strictEqual(masked("other.name", ["id", "ssn"], [["frazil.mark.land.people.main.0", text]]), over("ssn"))
    }
    assert.strictEqual(masked("other.name", ["id", "ssn"], [["frazil.mark.land.peoples.main.0", mark]]), "R")
    assert.strictEqual(masked("other.name", ["id", "ssn"], []), "R")
  })

  it("leaves tables alone that hold nothing personal", () => {
    assert.strictEqual(masked("lending.people", ["id"], []), "R")
  })
})
