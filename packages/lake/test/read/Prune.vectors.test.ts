/**
 * Which files a filter has to read, as the reference implementation's evaluator decides it by their counts and bounds.
 *
 * Reading more than it does is allowed, and written down; reading less would lose rows.
 */
import { assert, describe, it } from "@effect/vitest"
import { mayMatch, type Filter } from "../../src/read/Filter.ts"
import { pruner } from "../../src/read/Prune.ts"
import type { FileFacts } from "../../src/io/EntryPick.ts"
import type { JsonObject, JsonValue } from "../../src/spec/Json.ts"
import { readList, readMap, readObject, readOptional } from "../../src/spec/JsonRead.ts"
import { fieldEntries, schemaFromJson, type TableSchema } from "../../src/spec/Schema.ts"
import { singleValueToBytes } from "../../src/spec/SingleValue.ts"
import { bindPartitionSpec, partitionSpec } from "../../src/spec/PartitionSpec.ts"
import { isPrimitive, primitiveFromText, type PrimitiveType } from "../../src/spec/Type.ts"
import { readAny, valueOf, vectorRows, vectors } from "../spec/Vectors.ts"

const file = vectors("metrics.json")

const schema: TableSchema = schemaFromJson(
  {
    type: "struct",
    fields: [
      ...vectorRows(file, "schema").map(([id, name, required, type]) => ({
        id: id ?? null,
        name: name ?? null,
        required: required ?? null,
        type: type ?? null
      })),
      ...readList(file["nested"], "nested", readAny)
    ]
  },
  "schema"
)

const typeOf = (by: (entry: { readonly id: number; readonly name: string }) => boolean): PrimitiveType => {
  const found = fieldEntries(schema).find(({ id, path }) => by({ id, name: path.join(".") }))!
  return isPrimitive(found.type) ? found.type : assert.fail("no primitive")
}

const byId = <A>(object: JsonObject, key: string, read: (value: JsonValue, id: number) => A): ReadonlyMap<number, A> =>
  new Map(
    Array.from(
      readOptional(object[key], key, (value, where) => readMap(value, where, readAny)) ?? [],
      ([id, value]) => [Number(id), read(value, Number(id))]
    )
  )

const factsOf = (object: JsonObject): FileFacts => {
  const bytes = (value: JsonValue, id: number) => {
    const type = typeOf((entry) => entry.id === id)
    return singleValueToBytes(type, valueOf(type, value))
  }
  const count = (value: JsonValue) => BigInt(String(value))
  return {
    partition: [],
    valueCounts: byId(object, "values", count),
    nullValueCounts: byId(object, "nulls", count),
    nanValueCounts: byId(object, "nans", count),
    lowerBounds: byId(object, "lower", bytes),
    upperBounds: byId(object, "upper", bytes)
  }
}

const files = new Map(vectorRows(file, "files").map(([name, facts]) => [name, factsOf(readObject(facts, "file"))]))

const filterOf = (json: JsonValue): Filter => {
  const object = readObject(json, "filter")
  const column = String(object["column"])
  const value = (each: JsonValue | undefined) =>
    valueOf(
      typeOf(({ name }) => name === column),
      each
    )
  const filters = () => readList(object["filters"], "filters", (each) => filterOf(each ?? null))
  switch (object["_tag"]) {
    case "And":
      return { _tag: "And", filters: filters() }
    case "Or":
      return { _tag: "Or", filters: filters() }
    case "Not":
      return { _tag: "Not", filter: filterOf(object["filter"] ?? null) }
    case "IsNull":
      return { _tag: "IsNull", column }
    case "NotNull":
      return { _tag: "NotNull", column }
    case "In":
      return { _tag: "In", column, values: readList(object["values"], "values", value) }
    case "StartsWith":
      return { _tag: "StartsWith", column, prefix: String(object["prefix"]) }
    default:
      // one of the operators, as the file has them
      return { _tag: "Compare", column, operator: object["operator"] as "=", value: value(object["value"]) }
  }
}

const cases = vectorRows(file, "cases").map(([name, json, reads]) => ({
  text: `${String(name)}: ${JSON.stringify(json)}`,
  reads,
  ours: mayMatch(filterOf(json ?? null), pruner(schema).file([], files.get(name)!))
}))

const texts = cases.map(({ text }) => text)

describe("files that the reference implementation reads", () => {
  it("are never left out here", () => {
    assert.deepStrictEqual(
      cases.filter(({ ours, reads }) => reads === true && !ours).map(({ text }) => text),
      []
    )
    assert.isAbove(cases.length, 150)
  })

  it("are those that are read here, but for what is not known of columns or of values, and for the order of NaN", () => {
    assert.deepStrictEqual(
      cases.filter(({ ours, reads }) => reads === false && ours).map(({ text }) => text),
      [
        // a required column is asked for its counts, as others are
        'file: {"_tag":"IsNull","column":"required"}',
        'file_6: {"_tag":"IsNull","column":"required_address.required_street1"}',
        // bounds may be shortened, so that equal ones are not taken for the only value
        'file_5: {"_tag":"Not","filter":{"_tag":"StartsWith","column":"required","prefix":"abc"}}',
        'single_value: {"_tag":"Not","filter":{"_tag":"Compare","column":"required","operator":"=","value":"abc"}}',
        'single_value: {"_tag":"Not","filter":{"_tag":"In","column":"required","values":["abc","def"]}}',
        // NaN is above all numbers here
        'nans: {"_tag":"Compare","column":"all_nan","operator":">","value":1}',
        'nans: {"_tag":"Compare","column":"all_nan_null_bounds","operator":">","value":1}',
        'nans: {"_tag":"Compare","column":"some_nan_correct_bounds","operator":">","value":30}',
        'nans: {"_tag":"Compare","column":"all_nan","operator":">=","value":1}',
        'nans: {"_tag":"Compare","column":"all_nan_null_bounds","operator":">=","value":1}',
        'nans: {"_tag":"Compare","column":"some_nan_correct_bounds","operator":">=","value":30}'
      ].sort((a, b) => texts.indexOf(a) - texts.indexOf(b))
    )
  })
})

describe("partitions of the least integers", () => {
  it("are read where Java's engines let the truncated value wrap to the greatest", () => {
    for (const [type, least, wrapped] of [
      ["int", -2147483648, 2147483646],
      ["long", -9223372036854775808n, 9223372036854775806n]
    ] as const) {
      const table = schemaFromJson({ type: "struct", fields: [{ id: 1, name: "n", required: false, type }] }, "schema")
      const spec = partitionSpec(table, [{ column: "n", transform: { _tag: "truncate", width: 10 } }])
      const fields = bindPartitionSpec(spec, table)
      const bytes = singleValueToBytes(primitiveFromText(type, "test"), wrapped)
      const summary = { containsNull: false, containsNan: false, lowerBound: bytes, upperBound: bytes }
      const facts = factsOf({})
      for (const operator of ["=", "<", "<="] as const) {
        const value = operator === "<" ? (typeof least === "number" ? least + 1 : least + 1n) : least
        const filter: Filter = { _tag: "Compare", column: "n", operator, value }
        assert.isTrue(mayMatch(filter, pruner(table).file(fields, { ...facts, partition: [wrapped] })))
        assert.isTrue(mayMatch(filter, pruner(table).manifest(fields, [summary])))
      }
    }
  })
})
