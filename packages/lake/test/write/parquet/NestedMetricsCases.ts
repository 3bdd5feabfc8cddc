/** Rows with structs, lists and maps, nulls at every level, and filters on what lies in the structs. */
import type { Filter } from "../../../src/read/Filter.ts"
import type { TableSchema } from "../../../src/spec/Schema.ts"
import type { NestedField, Type } from "../../../src/spec/Type.ts"

const field = (id: number, name: string, type: Type): NestedField => ({ id, name, required: false, type })
const int: Type = { _tag: "int" }
const text: Type = { _tag: "string" }
const double: Type = { _tag: "double" }

export const nestedSchema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    field(1, "id", int),
    field(2, "s", {
      _tag: "struct",
      fields: [
        field(3, "n", int),
        field(4, "t", text),
        field(5, "inner", { _tag: "struct", fields: [field(6, "d", { _tag: "long" })] }),
        field(7, "l", { _tag: "list", elementId: 8, elementRequired: false, element: int })
      ]
    }),
    field(9, "l", {
      _tag: "list",
      elementId: 10,
      elementRequired: false,
      element: { _tag: "struct", fields: [field(11, "n", int)] }
    }),
    field(12, "m", { _tag: "map", keyId: 13, key: text, valueId: 14, valueRequired: false, value: double })
  ]
}

/** Fields that have bounds, and such as have none, since they lie below a list or map. */
export const insideStructs = ["s.n", "s.t", "s.inner.d"]
export const repeated = ["s.l.element", "l.element.n", "m.key", "m.value"]

const row = (id: number, struct: string, list: string, map: string): string =>
  `SELECT ${id} AS id, ${struct} AS s, ${list} AS l, ${map} AS m`

const first = (id: number): string =>
  row(
    id,
    "{'n': 5, 't': 'b', 'inner': {'d': 15}, 'l': [1, NULL, 99]}",
    "[{'n': 7}, NULL, {'n': NULL}]",
    "MAP {'k': 2.5, 'n': NULL}"
  )

/** Row `i` has the id `i + 1`. */
export const nestedRows = [
  first(1),
  row(2, "{'n': NULL, 't': 'twenty letters and more', 'inner': NULL, 'l': []}", "[]", "MAP {}"),
  row(3, "NULL", "NULL", "NULL"),
  row(4, "{'n': -7, 't': NULL, 'inner': {'d': NULL}, 'l': NULL}", "[{'n': 1}]", "MAP {'z': 0.0}")
]

/** A row like the first. */
export const anotherId = 9
export const anotherRow = first(anotherId)

/**
 * Filters in PyIceberg's words and ours, which rows match, and how many files PyIceberg plans of two: one of all rows, one of
 * the other row.
 */
export const nestedFilters: ReadonlyArray<{
  readonly text: string
  readonly filter: Filter
  readonly matches: (id: number) => boolean
  readonly files: number
}> = [
  {
    text: "s.n = 5",
    filter: { _tag: "Compare", column: "s.n", operator: "=", value: 5 },
    matches: (id) => id === 1,
    files: 2
  },
  {
    text: "s.n < 5",
    filter: { _tag: "Compare", column: "s.n", operator: "<", value: 5 },
    matches: (id) => id === 4,
    files: 1
  },
  {
    text: "s.n > 5",
    filter: { _tag: "Compare", column: "s.n", operator: ">", value: 5 },
    matches: () => false,
    files: 0
  },
  {
    text: "s.t > 'twenty letters'",
    filter: { _tag: "Compare", column: "s.t", operator: ">", value: "twenty letters" },
    matches: (id) => id === 2,
    files: 1
  },
  {
    text: "s.inner.d <= 15",
    filter: { _tag: "Compare", column: "s.inner.d", operator: "<=", value: 15n },
    matches: (id) => id === 1,
    files: 2
  },
  {
    text: "s.n is null",
    filter: { _tag: "IsNull", column: "s.n" },
    matches: (id) => id === 2 || id === 3,
    files: 1
  },
  {
    text: "s.inner.d is not null",
    filter: { _tag: "NotNull", column: "s.inner.d" },
    matches: (id) => id === 1,
    files: 2
  }
]
