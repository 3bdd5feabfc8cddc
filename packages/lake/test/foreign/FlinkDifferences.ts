/**
 * What Flink (1.20.3 and 2.1.1, with Iceberg 1.11.0) does not find though it matches, in tables of its own as in ours.
 *
 * Texts by order: a filter that it hands to Iceberg is asked of each row twice. Iceberg asks first, by code points, as its
 * specification has it, and makes a Java string of the row's text (`RowDataWrapper`), which the text keeps. Then Flink asks, and
 * two texts that have Java strings it compares by units of UTF-16 (`BinaryStringData.compareTo`), where what is beyond U+FFFF
 * comes before U+E000; others by bytes of UTF-8. So a row is left out where both orders differ.
 *
 * Bytes in a list: Flink looks for them in a set of Java's arrays (`ObjectHashSet`), which are equal to nothing but themselves.
 *
 * Floats of more than seven digits: it reduces literals to seven, so that it is not asked by such (`flinkHolds`).
 */
import { assert } from "@effect/vitest"
import { idsByMatch, matchesQuery, type KnownDifference, type Question } from "./EngineSweep.ts"
import { literalOf, type Probe } from "./Sweep.ts"
import { placeOf, typeCases } from "./TypeCases.ts"

/** By units of UTF-16: JavaScript's order of texts is Java's. */
const holdsByUnits = (operator: Probe["operator"], text: string, to: string): boolean => {
  switch (operator) {
    case "<":
      return text < to
    case "<=":
      return text <= to
    case ">":
      return text > to
    case ">=":
    case "not <":
      return text >= to
    default:
      return true
  }
}

const textsByUnits: KnownDifference = {
  why: "Flink compares texts by units of UTF-16 where it handed the filter to Iceberg",
  hides: ({ column, operator, type, values }, row) => {
    const found = typeCases.find((each) => each.column === column)!
    const place = placeOf(row, found)
    return type._tag === "string" && place !== null && !holdsByUnits(operator, found.values[place]!, values[0] ?? "")
  }
}

const bytesInLists: KnownDifference = {
  why: "Flink finds no bytes in a list",
  hides: ({ operator, type }) => operator === "in" && (type._tag === "binary" || type._tag === "fixed")
}

export const flinkDifferences: ReadonlyArray<KnownDifference> = [textsByUnits, bytesInLists]

/** Whether a float is the same in seven digits. */
export const flinkHolds = ({ type, values }: Probe): boolean =>
  type._tag !== "float" || values.every((value) => Number(Number(value).toPrecision(7)) === Number(value))

const table = "frazil.types.differences"
const [last, beyond] = ["\uffee", "😀"].map((text) => literalOf("flink", { _tag: "string" }, text))

/** With what Flink finds in a table of its own. A text that is worked out is not handed to Iceberg. */
const filters: ReadonlyArray<readonly [where: string, ids: ReadonlyArray<number>]> = [
  [`word > ${last}`, []],
  [`word < ${beyond}`, []],
  [`CONCAT(word, '') > ${last}`, [2]],
  [`CONCAT(word, '') < ${beyond}`, [1]],
  ["octets IN (X'00', X'80')", []],
  ["octets = X'80'", [2]],
  // the first literal is 16777220 there
  ["CAST('16777216' AS FLOAT) * CAST(id AS FLOAT) > 16777218", [1, 2]]
]

export const flinkDifferencesQuestion: Question = {
  queries: [
    `CREATE TABLE ${table} (id BIGINT, word STRING, octets BYTES)`,
    `INSERT INTO ${table} VALUES (1, ${last}, X'00'), (2, ${beyond}, X'80')`,
    matchesQuery(
      filters.map(([where]) => where),
      table
    )
  ],
  check: ([, , found]) => {
    const ids = idsByMatch(found!)
    assert.deepStrictEqual(
      filters.map(([where], i) => [where, ids.get(i) ?? []]),
      filters.map((each) => [...each]),
      "a table of Flink's own"
    )
  }
}
