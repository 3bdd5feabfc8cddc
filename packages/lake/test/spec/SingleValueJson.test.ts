/** Single values as JSON: the specification's examples (appendix D), both ways, and what is none of a type. */
import { assert, describe, it } from "@effect/vitest"
import { FormatError } from "../../src/spec/FormatError.ts"
import { parseJson, printJson } from "../../src/spec/Json.ts"
import { schemaFromJson } from "../../src/spec/Schema.ts"
import { singleValueFromJson, singleValueToJson, type TypedValue } from "../../src/spec/SingleValueJson.ts"
import { type Type } from "../../src/spec/Type.ts"

const typeOf = (json: string): Type => {
  const type = parseJson(json.startsWith("{") ? json : `"${json}"`)
  const fields = [{ id: 1000, name: "v", required: false, type }]
  return schemaFromJson({ type: "struct", fields }, "test").fields[0]!.type
}

const micros = (iso: string, more = 0n): bigint => BigInt(Date.parse(`${iso}Z`)) * 1000n + more

const examples: ReadonlyArray<readonly [type: string, json: string, value: TypedValue]> = [
  ["boolean", "true", true],
  ["int", "34", 34],
  ["long", "9223372036854775807", 9223372036854775807n],
  ["float", "1.0", 1],
  ["double", "-0.5", -0.5],
  ["decimal(9, 2)", '"14.20"', 1420n],
  ["decimal(9, 2)", '"-0.05"', -5n],
  ["decimal(38, 0)", `"${"9".repeat(38)}"`, 10n ** 38n - 1n],
  ["date", '"2017-11-16"', Date.parse("2017-11-16") / 86_400_000],
  ["date", '"0001-01-01"', -719162],
  ["date", '"-0001-12-31"', -719529],
  ["date", '"+10000-01-01"', 2932897],
  ["time", '"22:31:08.123456"', 81068123456n],
  ["time", '"22:31:08"', 81068000000n],
  ["timestamp", '"2017-11-16T22:31:08.123456"', micros("2017-11-16T22:31:08", 123456n)],
  ["timestamp", '"1969-12-31T23:59:59.999999"', -1n],
  ["timestamptz", '"2017-11-16T22:31:08.123456+00:00"', micros("2017-11-16T22:31:08", 123456n)],
  ["timestamp_ns", '"2017-11-16T22:31:08.123456789"', micros("2017-11-16T22:31:08", 123456n) * 1000n + 789n],
  ["string", '"iceberg"', "iceberg"],
  ["uuid", '"f79c3e09-677c-4bbd-a479-3f349cb785e7"', "f79c3e09-677c-4bbd-a479-3f349cb785e7"],
  ["fixed[4]", '"000102ff"', Uint8Array.of(0, 1, 2, 255)],
  ["binary", '"000102ff"', Uint8Array.of(0, 1, 2, 255)],
  ["binary", '""', new Uint8Array(0)],
  [
    '{"type": "struct", "fields": [{"id": 1, "name": "a", "required": true, "type": "int"}, {"id": 2, "name": "b", "required": false, "type": "string"}]}',
    '{"1":1,"2":"bar"}',
    {
      _tag: "struct",
      fields: new Map<number, TypedValue>([
        [1, 1],
        [2, "bar"]
      ])
    }
  ],
  [
    '{"type": "list", "element-id": 1, "element-required": false, "element": "int"}',
    "[1,2,null]",
    { _tag: "list", elements: [1, 2, null] }
  ],
  [
    '{"type": "map", "key-id": 1, "key": "string", "value-id": 2, "value-required": false, "value": "int"}',
    '{"keys":["a","b"],"values":[1,2]}',
    {
      _tag: "map",
      entries: [
        ["a", 1],
        ["b", 2]
      ]
    }
  ]
]

const wrong: ReadonlyArray<readonly [type: string, json: string]> = [
  ["boolean", "1"],
  ["int", "2147483648"],
  ["int", "1.5"],
  ["long", "9223372036854775808"],
  ["float", '"1"'],
  ["decimal(9, 2)", '"14.2"'],
  ["decimal(9, 2)", '"12345678.00"'],
  ["decimal(9, 2)", "14.20"],
  ["date", '"2017-02-29"'],
  ["date", '"2017-11-16T00:00:00"'],
  ["time", '"24:00:00"'],
  ["time", '"22:31:08.1234567"'],
  ["timestamp", '"2017-11-16T22:31:08+00:00"'],
  ["timestamp", '"2017-11-16T22:31:08.1234567"'],
  ["timestamptz", '"2017-11-16T22:31:08"'],
  ["timestamptz", '"2017-11-16T22:31:08-07:00"'],
  ["timestamp_ns", '"2017-11-16T22:31:08.1234567891"'],
  ["uuid", '"f79c3e09677c4bbda4793f349cb785e7"'],
  ["fixed[4]", '"000102"'],
  ["binary", '"0g"'],
  ['{"type": "list", "element-id": 1, "element-required": false, "element": "int"}', '{"a": 1}'],
  [
    '{"type": "map", "key-id": 1, "key": "string", "value-id": 2, "value-required": false, "value": "int"}',
    '{"keys":["a"],"values":[]}'
  ],
  ['{"type": "struct", "fields": [{"id": 1, "name": "a", "required": true, "type": "int"}]}', '{"9": 1}']
]

const printed = (type: Type, value: TypedValue) => printJson(singleValueToJson(type, value))

describe("single values as JSON", () => {
  for (const [text, json, value] of examples) {
    it(`reads and writes ${json} of ${text.slice(0, 20)}`, () => {
      const type = typeOf(text)
      assert.deepStrictEqual(singleValueFromJson(type, parseJson(json), "test"), value)
      assert.deepStrictEqual(JSON.parse(printed(type, value)), JSON.parse(json))
    })
  }

  for (const [text, json] of wrong) {
    it(`refuses ${json} of ${text.slice(0, 20)}`, () => {
      assert.throws(() => singleValueFromJson(typeOf(text), parseJson(json), "test"), FormatError)
    })
  }

  it("takes null of every type, and no value of another type", () => {
    for (const [text, , value] of examples) {
      const type = typeOf(text)
      assert.isNull(singleValueFromJson(type, null, "test"))
      assert.isNull(singleValueToJson(type, null))
      for (const [other, , otherValue] of examples) {
        const same = typeof otherValue === typeof value && typeof value !== "object"
        if (other === text || same || text.slice(0, 5) === other.slice(0, 5)) continue
        if (value instanceof Uint8Array && otherValue instanceof Uint8Array) continue
        assert.throws(() => singleValueToJson(type, otherValue), TypeError, undefined, `${other} as ${text}`)
      }
    }
    assert.throws(() => singleValueToJson({ _tag: "double" }, Number.NaN), TypeError)
  })
})
