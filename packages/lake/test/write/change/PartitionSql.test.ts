import { DuckDBInstance } from "@duckdb/node-api"
import { assert, describe, it } from "@effect/vitest"
import { sqlLiteral } from "../../../src/read/FilterSql.ts"
import { duckDbType } from "../../../src/read/RelationFiles.ts"
import { bindPartitionSpec } from "../../../src/spec/PartitionSpec.ts"
import type { SingleValue } from "../../../src/spec/SingleValue.ts"
import { applyTransform, transformFromText, transformToText } from "../../../src/spec/Transform.ts"
import { primitiveFromText, type PrimitiveType } from "../../../src/spec/Type.ts"
import { partitionValueSql } from "../../../src/write/change/PartitionSql.ts"

const day = 86_400_000_000n

const cases: ReadonlyArray<
  readonly [type: string, transforms: ReadonlyArray<string>, values: ReadonlyArray<SingleValue>]
> = [
  ["boolean", ["identity"], [false, true]],
  [
    "float",
    ["identity"],
    [0, -1.5, 13421773 / 2 ** 27, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  ],
  ["double", ["identity"], [0.1, -Number.MAX_VALUE, Number.MIN_VALUE, Number.NaN, Number.NEGATIVE_INFINITY]],
  ["int", ["bucket[16]", "truncate[10]"], [0, 1, -1, 34, 2147483647, -2147483640]],
  ["long", ["bucket[7]", "truncate[3]"], [0n, 34n, -1n, -7n, 9223372036854775807n, -9223372036854775808n + 3n]],
  ["date", ["bucket[16]", "year", "month", "day"], [0, 17486, -1, -365, -719162, 2932896]],
  [
    "timestamptz",
    ["bucket[16]", "year", "month", "day", "hour"],
    [0n, 1510871468000000n, -1n, -day, -day - 1n, 2000n * day]
  ],
  [
    "timestamp",
    ["bucket[5]", "year", "month", "day", "hour"],
    // the last microsecond of an hour that doubles cannot tell from the next
    [0n, 1510871468000001n, -1n, 253402300799999999n, -62135596800000001n]
  ],
  [
    "timestamp_ns",
    ["bucket[5]", "year", "month", "day", "hour"],
    [0n, 1510871468000001001n, -1n, -999n, -1000n, -1001n, 3599999999999n, 9223372036854775806n]
  ],
  ["fixed[4]", ["bucket[16]"], [Uint8Array.of(0, 1, 2, 3)]],
  ["time", ["bucket[16]"], [0n, 81068000000n]],
  [
    "string",
    ["bucket[16]", "truncate[3]"],
    ["", "a", "iceberg", "ab", "abc", "größe", "日本語です", "🙂🙂🙂🙂", "o'clock"]
  ],
  [
    "binary",
    ["bucket[16]", "truncate[3]"],
    [Uint8Array.of(), Uint8Array.of(0, 1, 2, 3), Uint8Array.of(255, 254, 253, 252, 251)]
  ],
  ["uuid", ["bucket[16]"], ["f79c3e09-677c-4bbd-a479-3f349cb785e7"]],
  ["decimal(9, 2)", ["truncate[10]", "bucket[1000]"], [0n, 1065n, -1065n, 1n, -1n, 127n, 128n, -128n, -129n, 1420n]],
  [
    "decimal(38, 5)",
    ["bucket[1000]"],
    [0n, -1n, 10n ** 38n - 1n, 1n - 10n ** 38n, 2n ** 63n, -(2n ** 63n), 2n ** 119n, -(2n ** 119n), 2n ** 120n - 1n]
  ],
  ["decimal(18, 0)", ["bucket[1000]"], [0n, 255n, 256n, -256n, 32767n, -32768n, -32769n]]
]

const textOf = (type: PrimitiveType, value: SingleValue | null) =>
  value === null ? `NULL::${duckDbType(type)}` : sqlLiteral(type, value)

describe("partitionValueSql", () => {
  it("gives the values of the specification's transforms", async () => {
    const database = await DuckDBInstance.create(":memory:")
    const connection = await database.connect()
    for (const [text, transforms, values] of cases) {
      const type = primitiveFromText(text, "test")
      const schema = { schemaId: 0, identifierFieldIds: [], fields: [{ id: 1, name: "v", required: false, type }] }
      for (const transform of transforms.map((each) => transformFromText(each, "test"))) {
        const [field] = bindPartitionSpec(
          { specId: 0, fields: [{ sourceId: 1, fieldId: 1000, name: "p", transform }] },
          schema
        )
        const sql = partitionValueSql(field!, schema)
        for (const value of [...values, null]) {
          const expected = textOf(field!.type!, applyTransform(transform, type, value))
          const reader = await connection.runAndReadAll(
            `SELECT (${sql}) IS NOT DISTINCT FROM ${expected}, (${sql})::VARCHAR FROM (SELECT ${textOf(type, value)} AS v)`
          )
          const [same, got] = reader.getRows()[0]!
          assert.isTrue(
            same === true,
            `${transformToText(transform)} of ${text} ${String(value)}: ${String(got)}, not ${expected}`
          )
        }
      }
    }
    connection.closeSync()
  })
})
