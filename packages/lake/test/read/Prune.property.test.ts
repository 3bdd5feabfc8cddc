/**
 * Pruning against the rows themselves: a file whose rows match a filter is never left out, whatever the types, transforms,
 * nulls, missing metrics and shortened bounds, at the top and in a struct. Cases come from a fixed seed, printed when one fails.
 */
import { assert, describe, it } from "@effect/vitest"
import { mayMatch, type Filter, type Operator } from "../../src/read/Filter.ts"
import { pruner } from "../../src/read/Prune.ts"
import { lowerBound, upperBound } from "../../src/spec/Bounds.ts"
import type { DataFile } from "../../src/spec/DataFile.ts"
import { compareValues, summariseField } from "../../src/spec/Manifest.ts"
import { bindPartitionSpec, partitionSpec } from "../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../src/spec/Schema.ts"
import type { SingleValue } from "../../src/spec/SingleValue.ts"
import { applyTransform, transformFromText } from "../../src/spec/Transform.ts"
import { primitiveFromText, type PrimitiveType } from "../../src/spec/Type.ts"
import { eventFile } from "../LakeFixtures.ts"

/** Small, seeded and good enough for choosing cases (mulberry32). */
const randomOf = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

type Random = ReturnType<typeof randomOf>

const words = ["", "a", "ab", "b", "é", "\ud7ff", "\ue000", "😀", "\u{10ffff}", "abcdefghijklmnopqrstuvwxyz"]

const word = (random: Random): string =>
  Array.from({ length: random(4) }, () => words[random(words.length)] ?? "").join("")

const valueOf: Readonly<Record<string, (random: Random) => SingleValue>> = {
  int: (random) => random(40) - 20,
  long: (random) => BigInt(random(40) - 20),
  date: (random) => random(1200) - 600,
  timestamptz: (random) => BigInt(random(1_000_000_000) - 500_000_000) * 1_000_003n,
  double: (random) => [random(7) - 3, -0, 0, Number.NaN, Infinity, -Infinity][random(6)] ?? 0,
  "decimal(9, 2)": (random) => BigInt(random(400) - 200),
  string: word,
  binary: (random) => Uint8Array.from({ length: random(20) }, () => [0, 1, 254, 255][random(4)] ?? 0),
  boolean: (random) => random(2) === 1,
  uuid: (random) => `${(random(16) * 0x11111111).toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`
}

const cases: ReadonlyArray<readonly [type: string, transforms: ReadonlyArray<string>]> = [
  ["int", ["identity", "bucket[3]", "truncate[7]", "void"]],
  ["long", ["identity", "bucket[3]", "truncate[7]", "void"]],
  ["date", ["identity", "day", "month", "year", "bucket[4]", "void"]],
  ["timestamptz", ["hour", "day", "month", "year", "identity", "void"]],
  ["double", ["identity", "void"]],
  ["decimal(9, 2)", ["identity", "truncate[50]", "bucket[3]", "void"]],
  ["string", ["identity", "truncate[2]", "bucket[3]", "void"]],
  ["binary", ["identity", "truncate[2]", "void"]],
  ["boolean", ["identity"]],
  ["uuid", ["identity", "bucket[3]"]]
]

const operators: ReadonlyArray<Operator> = ["=", "<", "<=", ">", ">="]

const isNan = (value: SingleValue): boolean => typeof value === "number" && Number.isNaN(value)

/** DuckDB's order: NaN equals itself and is above every number. */
const order = (a: SingleValue, b: SingleValue): number =>
  isNan(a) || isNan(b) ? Number(isNan(a)) - Number(isNan(b)) : compareValues(a, b)

/** Three-valued, as SQL: undefined where a comparison is with null. */
const truth = (filter: Filter, value: SingleValue | null): boolean | undefined => {
  switch (filter._tag) {
    case "IsNull":
      return value === null
    case "NotNull":
      return value !== null
    case "Compare": {
      if (value === null) return undefined
      const c = order(value, filter.value)
      return { "=": c === 0, "<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0 }[filter.operator]
    }
    case "In":
      if (filter.values.length === 0) return false
      return value === null ? undefined : filter.values.some((each) => order(value, each) === 0)
    case "StartsWith":
      return value === null ? undefined : String(value).startsWith(filter.prefix)
    case "Not": {
      const inner = truth(filter.filter, value)
      return inner === undefined ? undefined : !inner
    }
    case "And":
    case "Or": {
      const decides = filter._tag === "Or"
      const parts = filter.filters.map((each) => truth(each, value))
      if (parts.includes(decides)) return decides
      return parts.includes(undefined) ? undefined : !decides
    }
  }
}

const fileOf = (
  type: PrimitiveType,
  rows: ReadonlyArray<SingleValue | null>,
  partition: SingleValue | null
): DataFile => {
  const values = rows.filter((value): value is SingleValue => value !== null)
  const plain = values.filter((value) => !isNan(value)).toSorted(compareValues)
  const [least, greatest] = [plain[0], plain.at(-1)]
  const lower = least === undefined ? undefined : lowerBound(type, least, 16)
  const upper = greatest === undefined ? undefined : upperBound(type, greatest, 16)
  return {
    ...eventFile("f", 0, 0, rows.length),
    partition: [partition],
    valueCounts: new Map([[1, BigInt(rows.length)]]),
    nullValueCounts: new Map([[1, BigInt(rows.length - values.length)]]),
    nanValueCounts: new Map([[1, BigInt(values.length - plain.length)]]),
    lowerBounds: lower === undefined ? new Map() : new Map([[1, lower]]),
    upperBounds: upper === undefined ? new Map() : new Map([[1, upper]])
  }
}

const filterOf = (random: Random, typeText: string, column: string, depth = 0): Filter => {
  const value = () => valueOf[typeText]?.(random) ?? 0
  const nested = () => filterOf(random, typeText, column, depth + 1)
  switch (random(depth < 2 ? 16 : 10)) {
    case 0:
      return { _tag: "IsNull", column }
    case 1:
      return { _tag: "NotNull", column }
    case 2:
    case 3:
      return { _tag: "In", column, values: Array.from({ length: random(4) }, value) }
    case 4:
      if (typeText !== "string") return nested()
      return { _tag: "StartsWith", column, prefix: Array.from(String(value())).slice(0, random(4)).join("") }
    case 10:
    case 11:
    case 12:
      return { _tag: "Not", filter: nested() }
    case 13:
      return { _tag: "And", filters: [nested(), nested()] }
    case 14:
      return { _tag: "Or", filters: [nested(), nested()] }
    default:
      return { _tag: "Compare", column, operator: operators[random(operators.length)] ?? "=", value: value() }
  }
}

const metrics = ["valueCounts", "nullValueCounts", "nanValueCounts", "lowerBounds", "upperBounds"] as const

/** What a writer may leave out of a file's metrics. */
const withoutSome = (random: Random, file: DataFile): DataFile =>
  metrics.reduce((left, name) => (random(3) === 0 ? { ...left, [name]: new Map() } : left), file)

/** The column at the top, or in a struct. */
const schemaOf = (type: PrimitiveType, nested: boolean): TableSchema => {
  const column = { id: 1, name: "c", required: false, type }
  const struct = { id: 2, name: "s", required: false, type: { _tag: "struct" as const, fields: [column] } }
  return { schemaId: 0, identifierFieldIds: [], fields: [nested ? struct : column] }
}

describe("Prune", () => {
  for (const [typeText, transforms] of cases) {
    for (const transformText of transforms) {
      it(`never leaves out rows of ${typeText} divided by ${transformText}`, () => {
        const type = primitiveFromText(typeText, "test")
        const transform = transformFromText(transformText, "test")
        let skipped = 0
        for (let seed = 1; seed <= 400; seed++) {
          const random = randomOf(seed)
          const nested = seed % 4 === 0
          const column = nested ? "s.c" : "c"
          const schema = schemaOf(type, nested)
          const partition = bindPartitionSpec(partitionSpec(schema, [{ column, transform, name: "p" }]), schema)
          const prune = pruner(schema)
          const make = () => (random(6) === 0 ? null : (valueOf[typeText]?.(random) ?? 0))
          const first = make()
          const place = applyTransform(transform, type, first)
          // Rows of one file share a partition value.
          const rows = [first, ...Array.from({ length: random(6) }, make)].filter((value) => {
            const other = applyTransform(transform, type, value)
            return other === place || (other !== null && place !== null && order(other, place) === 0)
          })
          const whole = fileOf(type, rows, place)
          const file = seed % 3 === 0 ? withoutSome(random, whole) : whole
          const resultType = partition[0]?.type ?? type
          const summary = seed % 5 === 0 ? null : [summariseField(resultType, [place])]
          const filter = filterOf(random, typeText, column)
          const kept =
            mayMatch(filter, prune.manifest(partition, summary)) && mayMatch(filter, prune.file(partition, file))
          if (!kept) skipped++
          const wanted = rows.some((value) => truth(filter, value) === true)
          if (wanted && !kept) assert.fail(`seed ${seed}: rows that match ${String(filter._tag)} were left out`)
        }
        assert.isAbove(skipped, 40, "pruning must leave out files at all")
      })
    }
  }
})
