/**
 * A column of every type that we write, with values at the edges of what each can hold, in ascending order: what sweeps of
 * filters are made from. Order of values is order in the list, so that no comparison is borrowed from what is tested.
 */
import type { TableSchema } from "../../src/spec/Schema.ts"
import type { NestedField, PrimitiveType, Type } from "../../src/spec/Type.ts"

export interface TypeCase {
  readonly column: string
  readonly type: PrimitiveType
  /** Ascending, as DuckDB reads them from text; bytes as hexadecimal digits. */
  readonly values: ReadonlyArray<string>
}

const simple = (tag: Exclude<PrimitiveType["_tag"], "decimal" | "fixed">): PrimitiveType => ({ _tag: tag })
const decimal = (precision: number, scale: number): PrimitiveType => ({ _tag: "decimal", precision, scale })

const moments = [
  "0001-01-01 00:00:00",
  "1582-10-15 00:00:00",
  "1969-12-31 23:59:59.999999",
  "1970-01-01 00:00:00",
  "1970-01-01 00:00:00.000001",
  "2026-01-01 12:34:56.789",
  "2026-01-01 12:34:56.789001",
  "2026-12-31 23:59:59.999999",
  "9999-12-31 23:59:59.999999"
]

/** Nine values a type, but for booleans; the last ones may be equal in their first 16 characters. */
export const typeCases: ReadonlyArray<TypeCase> = [
  { column: "c_boolean", type: simple("boolean"), values: ["false", "true"] },
  {
    column: "c_int",
    type: simple("int"),
    values: ["-2147483648", "-5", "-1", "0", "1", "7", "100", "2147483646", "2147483647"]
  },
  {
    column: "c_long",
    type: simple("long"),
    values: [
      "-9223372036854775808",
      "-9007199254740993",
      "-1",
      "0",
      "1",
      "4294967296",
      "9007199254740993",
      "9223372036854775806",
      "9223372036854775807"
    ]
  },
  {
    column: "c_float",
    type: simple("float"),
    values: ["-3.4028235e38", "-1.5", "-0.1", "0", "0.1", "1", "1.5", "16777216", "3.4028235e38"]
  },
  {
    column: "c_double",
    type: simple("double"),
    values: ["-1.7976931348623157e308", "-1.5", "-0.1", "0", "5e-324", "0.1", "1.5", "9007199254740992", "1e308"]
  },
  { column: "c_decimal9", type: decimal(9, 2), values: digits(9, 2) },
  { column: "c_decimal18", type: decimal(18, 4), values: digits(18, 4) },
  { column: "c_decimal38", type: decimal(38, 10), values: digits(38, 10) },
  {
    column: "c_date",
    type: simple("date"),
    values: [
      "0001-01-01",
      "1582-10-15",
      "1969-12-31",
      "1970-01-01",
      "1970-01-02",
      "2000-02-29",
      "2026-01-01",
      "2026-12-31",
      "9999-12-31"
    ]
  },
  {
    column: "c_time",
    type: simple("time"),
    values: [
      "00:00:00",
      "00:00:00.000001",
      "06:00:00",
      "11:59:59.999999",
      "12:00:00",
      "12:00:00.000001",
      "18:30:00",
      "23:59:59",
      "23:59:59.999999"
    ]
  },
  { column: "c_timestamp", type: simple("timestamp"), values: moments },
  { column: "c_timestamptz", type: simple("timestamptz"), values: moments },
  {
    column: "c_string",
    type: simple("string"),
    values: [
      "",
      " ",
      "aaaaaaaaaaaaaaaa",
      "aaaaaaaaaaaaaaaab",
      "b%_'\"\\",
      "zzzzzzzzzzzzzzzzzz",
      "é€",
      "\uffee",
      "😀".repeat(17)
    ]
  },
  {
    column: "c_uuid",
    type: simple("uuid"),
    values: [
      "00000000-0000-0000-0000-000000000000",
      "00000000-0000-0000-0000-000000000001",
      "0f0f0f0f-0000-4000-8000-000000000000",
      "7fffffff-ffff-ffff-7fff-ffffffffffff",
      "7fffffff-ffff-ffff-8000-000000000000",
      "80000000-0000-0000-0000-000000000000",
      "80000000-0000-0000-ffff-ffffffffffff",
      "ffffffff-ffff-ffff-0000-000000000000",
      "ffffffff-ffff-ffff-ffff-ffffffffffff"
    ]
  },
  {
    column: "c_binary",
    type: simple("binary"),
    values: ["", "00", "00ff", "61", "7f", "80", "ab".repeat(17), "ff", "ff".repeat(17)]
  },
  {
    column: "c_fixed",
    type: { _tag: "fixed", length: 18 },
    // equal in their first 16 bytes, the last two
    values: ["00", "0001", "61", "7f", "7fff", "80", "fe", "ff".repeat(17), "ff".repeat(18)].map((hex) =>
      hex.padEnd(36, "0")
    )
  }
]

/** Nine decimals: the extremes, and those beside zero. */
function digits(precision: number, scale: number): ReadonlyArray<string> {
  const text = (unscaled: string) => `${unscaled.slice(0, -scale)}.${unscaled.slice(-scale)}`
  const greatest = text("9".repeat(precision))
  const least = text("1".padStart(scale + 1, "0"))
  const below = text(`${"9".repeat(precision - 1)}8`)
  const zero = text("0".repeat(scale + 1))
  return [`-${greatest}`, "-1.5", `-${least}`, zero, least, "1", "1.5", below, greatest]
}

const optional = (id: number, name: string, type: Type): NestedField => ({ id, name, required: false, type })

/**
 * Nested columns, with nulls at every level: values as DuckDB's SQL, and as they must be read. The long is one that a double
 * holds, as JSON of other engines passes through doubles.
 */
export const nestedCases: ReadonlyArray<{
  readonly field: NestedField
  readonly values: ReadonlyArray<readonly [sql: string, value: unknown]>
}> = [
  {
    field: optional(100, "n_struct", {
      _tag: "struct",
      fields: [
        optional(101, "whole", { _tag: "int" }),
        optional(102, "text", { _tag: "string" }),
        optional(103, "inner", { _tag: "struct", fields: [optional(104, "at", { _tag: "timestamptz" })] })
      ]
    }),
    values: [
      [
        "{'whole': 1, 'text': 'a', 'inner': {'at': TIMESTAMPTZ '2026-01-01 00:00:00.000001+00'}}",
        { whole: 1, text: "a", inner: { at: "2026-01-01 00:00:00.000001" } }
      ],
      ["{'whole': NULL, 'text': NULL, 'inner': NULL}", { whole: null, text: null, inner: null }],
      ["{'whole': -7, 'text': '', 'inner': {'at': NULL}}", { whole: -7, text: "", inner: { at: null } }],
      ["NULL", null]
    ]
  },
  {
    field: optional(110, "n_list", {
      _tag: "list",
      elementId: 111,
      elementRequired: false,
      element: { _tag: "decimal", precision: 12, scale: 2 }
    }),
    values: [
      ["[1.5, NULL, -9999999999.99]", ["1.5", null, "-9999999999.99"]],
      ["[]", []],
      ["[NULL]", [null]],
      ["NULL", null]
    ]
  },
  {
    field: optional(120, "n_map", {
      _tag: "map",
      keyId: 121,
      key: { _tag: "string" },
      valueId: 122,
      valueRequired: false,
      value: { _tag: "long" }
    }),
    values: [
      [
        "MAP {'a': 4611686018427387904, 'b': NULL}",
        [
          ["a", "4611686018427387904"],
          ["b", null]
        ]
      ],
      ["MAP {}", []],
      ["MAP {'': 0}", [["", "0"]]],
      ["NULL", null]
    ]
  },
  {
    field: optional(130, "n_deep", {
      _tag: "list",
      elementId: 131,
      elementRequired: false,
      element: {
        _tag: "struct",
        fields: [
          optional(132, "name", { _tag: "string" }),
          optional(133, "tags", {
            _tag: "map",
            keyId: 134,
            key: { _tag: "string" },
            valueId: 135,
            valueRequired: false,
            value: { _tag: "list", elementId: 136, elementRequired: false, element: { _tag: "date" } }
          })
        ]
      }
    }),
    values: [
      [
        "[{'name': 'x', 'tags': MAP {'d': [DATE '2026-02-28', NULL]}}, NULL]",
        [{ name: "x", tags: [["d", ["2026-02-28", null]]] }, null]
      ],
      ["[{'name': NULL, 'tags': MAP {}}]", [{ name: null, tags: [] }]],
      ["[{'name': 'y', 'tags': NULL}]", [{ name: "y", tags: null }]],
      ["NULL", null]
    ]
  }
]

export const typesSchema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "id", required: true, type: { _tag: "long" } },
    ...typeCases.map(({ column, type }, i) => optional(2 + i, column, type)),
    ...nestedCases.map(({ field }) => field)
  ]
}

/** One row: which value of each type it has (by its place in the list), and which of each nested column. */
export interface TypesRow {
  readonly id: number
  /** Null: every column of the row is null. */
  readonly value: number | null
  readonly nested: number
}

/** Rows of files: low, middle and high values, nulls only, and all mixed. */
export const typesFiles: ReadonlyArray<ReadonlyArray<TypesRow>> = (() => {
  let id = 0
  const row = (value: number | null): TypesRow => ({ id: ++id, value, nested: id % 4 })
  return [[0, 1, 2].map(row), [3, 4, 5].map(row), [6, 7, 8].map(row), [null, null].map(row), [8, null, 0, 4].map(row)]
})()

/** The place of the row's value in a case's list; null for null. */
export const placeOf = ({ value }: TypesRow, { values }: TypeCase): number | null =>
  value === null ? null : Math.floor((value * values.length) / 9)
