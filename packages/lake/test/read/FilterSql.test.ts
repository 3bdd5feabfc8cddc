/** Filters as SQL: the rows that they mean, worked out by plain code over the values. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { DuckDb } from "../../src/io/DuckDb.ts"
import type { Filter } from "../../src/read/Filter.ts"
import { filterSql } from "../../src/read/FilterSql.ts"
import type { TableSchema } from "../../src/spec/Schema.ts"
import { layerLake } from "../write/change/ChangeFixture.ts"

const schema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "n", required: false, type: { _tag: "double" } },
    {
      id: 2,
      name: "s",
      required: false,
      type: { _tag: "struct", fields: [{ id: 3, name: "it's", required: false, type: { _tag: "string" } }] }
    }
  ]
}

const text = "s.it's"
const values = `SELECT * FROM (VALUES (1, 1.5::DOUBLE, {'it''s': 'a%b'}), (2, 'NaN', {'it''s': 'ab'}), (3, NULL, NULL), (4, -0.0, {'it''s': ''}),
  (5, 'Infinity', {'it''s': NULL}), (6, 2, {'it''s': 'O''Neil'})) v(id, n, s)`

const cases: ReadonlyArray<readonly [Filter, ReadonlyArray<number>]> = [
  [{ _tag: "In", column: "n", values: [1.5, Number.NaN, 7] }, [1, 2]],
  [{ _tag: "In", column: "n", values: [0] }, [4]],
  [{ _tag: "In", column: "n", values: [] }, []],
  [{ _tag: "Not", filter: { _tag: "In", column: "n", values: [] } }, [1, 2, 3, 4, 5, 6]],
  [{ _tag: "Not", filter: { _tag: "In", column: "n", values: [1.5, Number.NaN] } }, [4, 5, 6]],
  [{ _tag: "StartsWith", column: text, prefix: "a" }, [1, 2]],
  [{ _tag: "StartsWith", column: text, prefix: "a%" }, [1]],
  [{ _tag: "StartsWith", column: text, prefix: "O'" }, [6]],
  [{ _tag: "StartsWith", column: text, prefix: "" }, [1, 2, 4, 6]],
  [{ _tag: "Not", filter: { _tag: "StartsWith", column: text, prefix: "a" } }, [4, 6]],
  [{ _tag: "Not", filter: { _tag: "Compare", column: "n", operator: ">", value: 2 } }, [1, 4, 6]],
  [{ _tag: "Not", filter: { _tag: "IsNull", column: text } }, [1, 2, 4, 6]],
  [
    {
      _tag: "Not",
      filter: {
        _tag: "Or",
        filters: [
          { _tag: "Compare", column: "n", operator: "=", value: 2 },
          { _tag: "In", column: text, values: ["ab", ""] }
        ]
      }
    },
    [1]
  ]
]

it.live("filters mean the same rows in SQL", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const connection = yield* Effect.flatMap(DuckDb, ({ connect }) => connect)
      for (const [filter, expected] of cases) {
        const sql = `SELECT id FROM (${values}) WHERE ${filterSql(filter, schema)} ORDER BY id`
        const found = (yield* connection.query(sql, "testing")).getRows().map(([id]) => Number(id))
        assert.deepStrictEqual(found, [...expected], sql)
      }
      assert.throws(() => filterSql({ _tag: "StartsWith", column: "n", prefix: "1" }, schema), /no column of text/)
      assert.throws(
        () => filterSql({ _tag: "In", column: "s", values: ["a"] }, schema),
        /no column that can be compared/
      )
    })
  ).pipe(Effect.provide(layerLake))
)
