/** What a mask shows, and what it knows columns and tables by; `Mask.process.test.ts` attacks it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { personalColumns } from "../src/index.ts"
import { maskPaths, maskRelation } from "../src/read/Mask.ts"
import { makePeopleLake, People } from "./PeopleLake.ts"
import { ask, askRows } from "./Queries.ts"
import { analyticsOver } from "./TestLake.ts"

const personal = personalColumns([People])

describe("a masked table", () => {
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

  it("tells no folder of a damaged file where personal values name it", () => {
    const told = (sourceId: number) => {
      const metadata = {
        schemas: [schema("id", "ssn")],
        properties: new Map(),
        partitionSpecs: [
          { specId: 0, fields: [{ sourceId, fieldId: 1000, name: "p", transform: { _tag: "identity" } }] }
        ]
      }
      // the parts that it reads
      const table = { metadata } as unknown as Parameters<typeof maskPaths>[1]
      return maskPaths(
        "data file file:///w/p/data/p=123456789/a.parquet: has 3 bytes",
        table,
        "lending.people",
        personal
      )
    }
    const [id, ssn] = schema("id", "ssn").fields.map((field) => field.id)
    assert.strictEqual(told(ssn!), "data file file:///w/p/data/…/a.parquet: has 3 bytes")
    assert.include(told(id!), "/p=123456789/a.parquet")
  })
})
