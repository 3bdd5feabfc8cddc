/**
 * Tables of every type that we divide by every transform and delete rows of, and what other engines find in them by filters on
 * what they are divided by.
 */
import { Effect } from "effect"
import { transformFromText } from "../../src/spec/Transform.ts"
import { probesQuestion, typesQuestion, type Engine, type Question } from "./EngineSweep.ts"
import { sampled, sweep } from "./Sweep.ts"
import type { TypeCase } from "./TypeCases.ts"
import { writeTypes, type WrittenTypes } from "./TypesTable.ts"

/**
 * Columns with their transforms. None is a fixed: Iceberg's Java library (1.12) reads that of a partition as bytes with a length
 * before them (`InternalReader`), in its own tables too, so none of its engines reads such a table. The edges of
 * a type must be divisible by the width, or their partition is beyond the type.
 */
const divisions: ReadonlyArray<ReadonlyArray<readonly [column: string, transform: string]>> = [
  [
    ["c_int", "bucket[3]"],
    ["c_boolean", "identity"]
  ],
  [
    ["c_timestamp", "day"],
    ["c_string", "truncate[2]"]
  ],
  [
    ["c_int", "truncate[16]"],
    ["c_long", "bucket[4]"]
  ],
  [
    ["c_long", "truncate[1024]"],
    ["c_decimal9", "bucket[3]"]
  ],
  [
    ["c_decimal18", "truncate[9]"],
    ["c_decimal38", "bucket[5]"]
  ],
  [
    ["c_date", "year"],
    ["c_string", "bucket[3]"]
  ],
  [
    ["c_timestamp", "month"],
    ["c_timestamptz", "bucket[4]"]
  ],
  [
    ["c_timestamptz", "day"],
    ["c_timestamp", "bucket[3]"]
  ],
  [["c_timestamptz", "hour"]],
  [
    ["c_string", "identity"],
    ["c_binary", "truncate[1]"]
  ],
  [
    ["c_float", "identity"],
    ["c_double", "identity"]
  ],
  [
    ["c_decimal38", "identity"],
    ["c_date", "month"]
  ],
  [
    ["c_timestamptz", "identity"],
    ["c_date", "bucket[2]"]
  ],
  [
    ["c_date", "identity"],
    ["c_binary", "bucket[3]"]
  ],
  [
    ["c_binary", "identity"],
    ["c_int", "identity"]
  ],
  [
    ["c_uuid", "identity"],
    ["c_time", "bucket[3]"]
  ],
  [
    ["c_time", "identity"],
    ["c_uuid", "bucket[4]"]
  ],
  [
    ["c_long", "identity"],
    ["c_int", "bucket[2]"]
  ]
]

export interface WrittenDivided extends WrittenTypes {
  /** Columns that it is divided by. */
  readonly by: ReadonlySet<string>
}

/** A table for each division by columns that the engine has, or for the first so many. */
export const writeDivided = (columns: (each: TypeCase) => boolean, tablesMax = divisions.length) => {
  const names = new Set(sweep(columns).map(({ column }) => column))
  const asked = divisions.filter((division) => division.every(([column]) => names.has(column))).slice(0, tablesMax)
  return Effect.forEach(asked, (division, i) =>
    Effect.map(
      writeTypes(
        {
          name: `ours_by_${i}`,
          metrics: "truncate(16)",
          deletes: i % 2 === 0 ? "merge-on-read" : "copy-on-write"
        },
        columns,
        division.map(([column, text]) => ({ column, transform: transformFromText(text, column) }))
      ),
      (written): WrittenDivided => ({ ...written, by: new Set(division.map(([column]) => column)) })
    )
  )
}

/** All rows, and so many filters on each of the columns that the table is divided by. */
export const dividedQuestions = (
  engine: Engine,
  written: WrittenDivided,
  probesEach: number
): ReadonlyArray<Question> => [
  typesQuestion(engine, written),
  probesQuestion(
    engine,
    written.name,
    sampled(
      sweep(({ column }) => written.by.has(column)),
      probesEach,
      11
    )
  )
]
