import { assert, describe, it } from "@effect/vitest"
import { fieldEntries, schemaFromJson, type TableSchema } from "../../src/spec/Schema.ts"
import { parseJson } from "../../src/spec/Json.ts"
import { evolveSchema, type SchemaChange } from "../../src/spec/SchemaChange.ts"
import { primitiveToText, isPrimitive, type Type } from "../../src/spec/Type.ts"

const string: Type = { _tag: "string" }

const base = schemaFromJson(
  parseJson(`{"type":"struct","schema-id":0,"identifier-field-ids":[1],"fields":[
  {"id":1,"name":"id","required":true,"type":"int"},
  {"id":2,"name":"amount","required":true,"type":"decimal(9, 2)"},
  {"id":3,"name":"tags","required":false,"type":{"type":"list","element-id":4,"element":{"type":"struct","fields":[
    {"id":5,"name":"k","required":true,"type":"float"}]},"element-required":true}},
  {"id":6,"name":"by","required":false,"type":{"type":"map","key-id":7,"key":{"type":"struct","fields":[
    {"id":8,"name":"x","required":true,"type":"string"}]},"value-id":9,"value":{"type":"struct","fields":[
    {"id":10,"name":"n","required":false,"type":"int"}]},"value-required":false}},
  {"id":11,"name":"at","required":false,"type":{"type":"struct","fields":[
    {"id":12,"name":"lat","required":true,"type":"double"},{"id":13,"name":"lon","required":true,"type":"double"}]}}]}`),
  "schema"
)

const evolve = (...changes: ReadonlyArray<SchemaChange>) => evolveSchema([base], base, 20, changes)

/** `path id type`, `!` after required ones, in order. */
const shown = (schema: TableSchema) =>
  fieldEntries(schema).map(
    ({ id, path, required, type }) =>
      `${path.join(".")} ${id} ${isPrimitive(type) ? primitiveToText(type) : type._tag}${required ? "!" : ""}`
  )

describe("evolveSchema", () => {
  it("adds columns with ids that were never used, also into structs, lists and maps", () => {
    const point: Type = {
      _tag: "struct",
      fields: [
        {
          id: 0,
          name: "x",
          required: true,
          type: { _tag: "list", elementId: 0, elementRequired: true, element: string }
        },
        { id: 0, name: "y", required: false, type: string }
      ]
    }
    const { lastColumnId, schema } = evolve(
      { _tag: "AddColumn", name: "p", type: point, doc: "where" },
      { _tag: "AddColumn", parent: "at", name: "alt", type: { _tag: "double" } },
      { _tag: "AddColumn", parent: "tags", name: "v", type: string },
      { _tag: "AddColumn", parent: "by.value", name: "m", type: string },
      { _tag: "AddColumn", parent: "p", name: "z", type: string }
    )
    const before = new Set(shown(base))
    assert.deepStrictEqual(
      shown(schema).filter((line) => !before.has(line)),
      [
        "tags.element.v 26 string",
        "by.value.m 27 string",
        "at.alt 25 double",
        "p 21 struct",
        "p.x 22 list!",
        "p.x.element 24 string!",
        "p.y 23 string",
        "p.z 28 string"
      ]
    )
    assert.deepStrictEqual([lastColumnId, schema.schemaId], [28, 1])
    assert.strictEqual(schema.fields.at(-1)?.doc, "where")
  })

  it("renames, widens, describes, drops and moves columns by name, and keeps their ids", () => {
    const { schema } = evolve(
      { _tag: "RenameColumn", column: "at.lat", name: "latitude" },
      { _tag: "WidenColumn", column: "id", type: { _tag: "long" } },
      { _tag: "WidenColumn", column: "amount", type: { _tag: "decimal", precision: 38, scale: 2 } },
      { _tag: "WidenColumn", column: "tags.element.k", type: { _tag: "double" } },
      { _tag: "MakeOptional", column: "amount" },
      { _tag: "MakeOptional", column: "tags.element" },
      { _tag: "DescribeColumn", column: "amount", doc: "what" },
      { _tag: "DropColumn", column: "by" },
      { _tag: "MoveColumn", column: "amount", to: { _tag: "First" } },
      { _tag: "MoveColumn", column: "id", to: { _tag: "After", sibling: "at" } },
      { _tag: "MoveColumn", column: "at.lon", to: { _tag: "Before", sibling: "latitude" } }
    )
    assert.deepStrictEqual(shown(schema), [
      "amount 2 decimal(38, 2)",
      "tags 3 list",
      "tags.element 4 struct",
      "tags.element.k 5 double!",
      "at 11 struct",
      "at.lon 13 double!",
      "at.latitude 12 double!",
      "id 1 long!"
    ])
  })

  it("gives a name that was dropped a new id, so that old rows do not show in it", () => {
    const { schema } = evolve(
      { _tag: "DropColumn", column: "amount" },
      { _tag: "AddColumn", name: "amount", type: string }
    )
    assert.strictEqual(schema.fields.find(({ name }) => name === "amount")?.id, 21)
  })

  it("finds the schema again that the table had, and changes nothing", () => {
    const added = evolve({ _tag: "AddColumn", name: "b", type: string })
    const back = evolveSchema([base, added.schema], added.schema, 21, [{ _tag: "DropColumn", column: "b" }])
    assert.deepStrictEqual([back.schema.schemaId, back.lastColumnId], [0, 21])
  })

  it("sets identifier columns", () => {
    const { schema } = evolve(
      { _tag: "SetIdentifierColumns", columns: ["amount"] },
      { _tag: "DropColumn", column: "id" }
    )
    assert.deepStrictEqual(schema.identifierFieldIds, [2])
  })

  const refused: ReadonlyArray<readonly [RegExp, ReadonlyArray<SchemaChange>]> = [
    [/no column nope/, [{ _tag: "DropColumn", column: "nope" }]],
    [/column ID already|column id already/, [{ _tag: "AddColumn", name: "ID", type: string }]],
    [/by\.value\.N|by\.value\.n/, [{ _tag: "AddColumn", parent: "by", name: "N", type: string }]],
    [/keep the name _file/, [{ _tag: "AddColumn", name: "_file", type: string }]],
    [/needs a name/, [{ _tag: "RenameColumn", column: "amount", name: "" }]],
    [/holds no struct/, [{ _tag: "AddColumn", parent: "amount", name: "x", type: string }]],
    [/column id identifies rows/, [{ _tag: "DropColumn", column: "id" }]],
    [/stays required/, [{ _tag: "MakeOptional", column: "id" }]],
    [/from int to string/, [{ _tag: "WidenColumn", column: "id", type: { _tag: "string" } }]],
    [
      /from decimal\(9, 2\) to decimal\(10, 3\)/,
      [{ _tag: "WidenColumn", column: "amount", type: { _tag: "decimal", precision: 10, scale: 3 } }]
    ],
    [
      /from decimal\(9, 2\) to decimal\(8, 2\)/,
      [{ _tag: "WidenColumn", column: "amount", type: { _tag: "decimal", precision: 8, scale: 2 } }]
    ],
    [/map's key/, [{ _tag: "RenameColumn", column: "by.key.x", name: "y" }]],
    [/drop the whole column/, [{ _tag: "DropColumn", column: "tags.element" }]],
    [/no such sibling/, [{ _tag: "MoveColumn", column: "amount", to: { _tag: "Before", sibling: "lat" } }]],
    [/column at\.lat cannot identify rows: it may be null/, [{ _tag: "SetIdentifierColumns", columns: ["at.lat"] }]],
    [/column at cannot identify|may be null/, [{ _tag: "SetIdentifierColumns", columns: ["at"] }]],
    [
      /no column amount/,
      [
        { _tag: "DropColumn", column: "amount" },
        { _tag: "MakeOptional", column: "amount" }
      ]
    ],
    [
      /needs a column/,
      [
        { _tag: "SetIdentifierColumns", columns: [] },
        ...base.fields.map(({ name }) => ({ _tag: "DropColumn", column: name }) as const)
      ]
    ]
  ]
  for (const [message, changes] of refused) {
    it(`refuses ${changes
      .map((change) => JSON.stringify(change))
      .slice(0, 1)
      .join()}`, () => {
      assert.throws(() => evolve(...changes), message)
    })
  }
})
