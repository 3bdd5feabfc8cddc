/**
 * A table whose columns were added, dropped, renamed, moved and widened between its files, nested ones too, and the rows that
 * every reader must find: written down, not worked out.
 */
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import type { SchemaChange } from "../../src/spec/SchemaChange.ts"
import type { TableSchema } from "../../src/spec/Schema.ts"
import { branchAt } from "../../src/spec/Snapshot.ts"
import { currentSchema } from "../../src/spec/TableMetadata.ts"
import type { NestedField, Type } from "../../src/spec/Type.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { setRef, updateSchema } from "../../src/write/TableAction.ts"

export const evolved = { namespace: "types", name: "evolved" }

const field = (id: number, name: string, type: Type): NestedField => ({ id, name, required: false, type })
const struct = (...fields: ReadonlyArray<NestedField>): Type => ({ _tag: "struct", fields })
const int: Type = { _tag: "int" }
const long: Type & { _tag: "long" } = { _tag: "long" }
const text: Type = { _tag: "string" }
const float: Type = { _tag: "float" }
const double: Type & { _tag: "double" } = { _tag: "double" }

const firstSchema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "id", required: true, type: long },
    field(2, "a", int),
    field(3, "b", float),
    field(4, "c", { _tag: "decimal", precision: 9, scale: 2 }),
    field(5, "d", text),
    field(6, "s", struct(field(9, "x", int), field(10, "y", text))),
    field(7, "l", {
      _tag: "list",
      elementId: 11,
      elementRequired: false,
      element: struct(field(12, "p", int), field(13, "q", text))
    }),
    field(8, "m", {
      _tag: "map",
      keyId: 14,
      key: text,
      valueId: 15,
      valueRequired: false,
      value: struct(field(16, "r", float), field(17, "t", text))
    })
  ]
}

const firstRows = `
  SELECT 1 AS id, 7 AS a, 0.1 AS b, 1.25 AS c, 'old' AS d, {'x': 1, 'y': 'gone'} AS s,
    [{'p': 1, 'q': 'q1'}, NULL] AS l, MAP {'k': {'r': 1.5, 't': 't1'}, 'n': NULL} AS m
  UNION ALL SELECT 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  UNION ALL SELECT 3, -2147483648, -1.5, -9999999.99, 'x', {'x': NULL, 'y': NULL}, [], MAP {}`

const firstChanges: ReadonlyArray<SchemaChange> = [
  { _tag: "RenameColumn", column: "a", name: "alpha" },
  { _tag: "WidenColumn", column: "a", type: long },
  { _tag: "AddColumn", name: "e", type: { _tag: "date" } },
  { _tag: "DropColumn", column: "d" },
  { _tag: "MoveColumn", column: "c", to: { _tag: "First" } },
  { _tag: "RenameColumn", column: "s.x", name: "ex" },
  { _tag: "WidenColumn", column: "s.x", type: long },
  { _tag: "DropColumn", column: "s.y" },
  { _tag: "AddColumn", parent: "s", name: "z", type: { _tag: "boolean" } },
  { _tag: "WidenColumn", column: "l.element.p", type: long },
  { _tag: "RenameColumn", column: "l.element.q", name: "qq" },
  { _tag: "RenameColumn", column: "m.value.r", name: "ar" },
  { _tag: "WidenColumn", column: "m.value.r", type: double },
  { _tag: "AddColumn", parent: "m.value", name: "u", type: int }
]

const secondRows = `
  SELECT 4 AS id, 9223372036854775807 AS alpha, 2.5 AS b, 3.75 AS c, DATE '2026-02-28' AS e,
    {'ex': 4611686018427387904, 'z': true} AS s,
    [{'p': 4611686018427387904, 'qq': 'q4'}] AS l, MAP {'k': {'ar': 0.1, 't': 't4', 'u': 4}} AS m`

const secondChanges: ReadonlyArray<SchemaChange> = [
  { _tag: "AddColumn", name: "d", type: text },
  { _tag: "RenameColumn", column: "alpha", name: "a" },
  { _tag: "WidenColumn", column: "b", type: double },
  { _tag: "WidenColumn", column: "c", type: { _tag: "decimal", precision: 20, scale: 2 } },
  { _tag: "MoveColumn", column: "s.z", to: { _tag: "First" } },
  { _tag: "AddColumn", parent: "s", name: "y", type: text }
]

const thirdRows = `
  SELECT 5 AS id, 5 AS a, 1e308 AS b, 123456789012345678.25 AS c, 'new' AS d, DATE '1970-01-01' AS e,
    {'z': NULL, 'ex': -1, 'y': 'new'} AS s, NULL AS l, NULL AS m`

/** At the end. */
export const evolvedRows: ReadonlyArray<Readonly<Record<string, unknown>>> = [
  {
    id: 1,
    a: 7,
    b: Math.fround(0.1),
    c: "1.25",
    d: null,
    e: null,
    s: { z: null, ex: 1, y: null },
    l: [{ p: 1, qq: "q1" }, null],
    m: [
      ["k", { ar: 1.5, t: "t1", u: null }],
      ["n", null]
    ]
  },
  { id: 2, a: null, b: null, c: null, d: null, e: null, s: null, l: null, m: null },
  {
    id: 3,
    a: -2147483648,
    b: -1.5,
    c: "-9999999.99",
    d: null,
    e: null,
    s: { z: null, ex: null, y: null },
    l: [],
    m: []
  },
  {
    id: 4,
    a: "9223372036854775807",
    b: 2.5,
    c: "3.75",
    d: null,
    e: "2026-02-28",
    s: { z: true, ex: "4611686018427387904", y: null },
    l: [{ p: "4611686018427387904", qq: "q4" }],
    m: [["k", { ar: 0.1, t: "t4", u: 4 }]]
  },
  {
    id: 5,
    a: 5,
    b: 1e308,
    c: "123456789012345678.25",
    d: "new",
    e: "1970-01-01",
    s: { z: null, ex: -1, y: "new" },
    l: null,
    m: null
  }
]

/** At the first snapshot, whose schema is the first one. */
export const firstEvolvedRows: ReadonlyArray<Readonly<Record<string, unknown>>> = [
  {
    id: 1,
    a: 7,
    b: 0.1,
    c: "1.25",
    d: "old",
    s: { x: 1, y: "gone" },
    l: [{ p: 1, q: "q1" }, null],
    m: [
      ["k", { r: 1.5, t: "t1" }],
      ["n", null]
    ]
  },
  { id: 2, a: null, b: null, c: null, d: null, s: null, l: null, m: null },
  { id: 3, a: -2147483648, b: -1.5, c: "-9999999.99", d: "x", s: { x: null, y: null }, l: [], m: [] }
]

/** Filters on columns that are not what they were, for PyIceberg and as SQL, with the ids of the rows that match. */
export const evolvedFilters: ReadonlyArray<{
  readonly name: string
  readonly filter: string
  readonly where: string
  readonly ids: ReadonlyArray<number>
}> = [
  { name: "renamed and widened", filter: "a < 0", where: "a < 0", ids: [3] },
  { name: "beyond what it was", filter: "a > 2147483647", where: "a > 2147483647", ids: [4] },
  { name: "widened decimal", filter: "c = '1.25'", where: "c = 1.25", ids: [1] },
  { name: "added", filter: "e is null", where: "e IS NULL", ids: [1, 2, 3] },
  { name: "a dropped column's name", filter: "d = 'old'", where: "d = 'old'", ids: [] },
  { name: "the column of that name", filter: "d = 'new'", where: "d = 'new'", ids: [5] },
  { name: "nested, renamed and widened", filter: "s.ex > 0", where: "s.ex > 0", ids: [1, 4] },
  { name: "nested and added", filter: "s.y = 'gone'", where: "s.y = 'gone'", ids: [] }
]

const evolve = (changes: ReadonlyArray<SchemaChange>) =>
  commitTable({ table: evolved, actions: () => Effect.succeed([updateSchema(...changes)]) })

/** A tag and a branch of the first snapshot. */
export const evolvedTag = "first-tag"
export const evolvedBranch = "first-branch"

export interface WrittenEvolved {
  readonly schema: TableSchema
  readonly firstSchema: TableSchema
  readonly firstSnapshotId: bigint
}

/** Makes the table; gives its schema, and the first snapshot. */
export const writeEvolved = Effect.gen(function* () {
  const catalog = yield* Catalog
  yield* catalog.createTable({ identifier: evolved, schema: firstSchema })
  const { snapshotId } = (yield* appendRows(evolved, firstRows))!.snapshot!
  const refs = [
    setRef(evolvedTag, { ...branchAt(snapshotId), type: "tag" }),
    setRef(evolvedBranch, branchAt(snapshotId))
  ]
  yield* commitTable({ table: evolved, actions: () => Effect.succeed(refs) })
  yield* evolve(firstChanges)
  yield* appendRows(evolved, secondRows)
  yield* evolve(secondChanges)
  yield* appendRows(evolved, thirdRows)
  const { metadata } = yield* catalog.loadTable(evolved)
  const written: WrittenEvolved = { schema: currentSchema(metadata), firstSchema, firstSnapshotId: snapshotId }
  return written
})
