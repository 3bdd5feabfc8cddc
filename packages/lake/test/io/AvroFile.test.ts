import { assert, describe, it } from "@effect/vitest"
import { avroLayout, decodeAvroFile, encodeAvroFile } from "../../src/io/avro/AvroFile.ts"
import type { AvroType } from "../../src/io/avro/AvroType.ts"
import type { AvroValue } from "../../src/io/avro/AvroValue.ts"
import type { JsonValue } from "../../src/spec/Json.ts"

const same = (type: AvroType) => type
const roundTrip = (schema: JsonValue, values: ReadonlyArray<AvroValue>) =>
  decodeAvroFile(encodeAvroFile(avroLayout(schema, same), new Map([["k", "v"]]), values), same)

const everything: JsonValue = {
  type: "record",
  name: "r",
  fields: [
    { name: "l", type: "long", "field-id": 1 },
    { name: "i", type: ["null", "int"], default: null, "field-id": 2 },
    { name: "b", type: "boolean", "field-id": 3 },
    { name: "f", type: "float", "field-id": 4 },
    { name: "d", type: "double", "field-id": 5 },
    { name: "s", type: ["string", "null"], "field-id": 6 },
    { name: "y", type: "bytes", "field-id": 7 },
    { name: "x", type: { type: "fixed", name: "fx", size: 3 }, "field-id": 8 },
    { name: "x2", type: "fx", "field-id": 9 },
    { name: "a", type: { type: "array", items: "long", "element-id": 11 }, "field-id": 10 },
    { name: "m", type: { type: "map", values: "string" }, "field-id": 12 }
  ]
}

const record = (l: bigint, i: number | null) => ({
  l,
  i,
  b: l > 0n,
  f: 0.5,
  d: -1e300,
  s: i === null ? null : `text ${i} é😀`,
  y: Uint8Array.of(0, 255),
  x: Uint8Array.of(1, 2, 3),
  x2: Uint8Array.of(4, 5, 6),
  a: [l, -l, 0n],
  m: new Map([["k", "v"]])
})

const plain = (value: AvroValue) => ({ ...Object(value) })

describe("AvroFile", () => {
  it("keeps every type, 64-bit longs and names of fixed types used twice", () => {
    const values = [
      record(9223372036854775807n, 2147483647),
      record(-9223372036854775807n, -2147483648),
      record(0n, null),
      record(134_217_728n, 63),
      record(-134_217_729n, -65)
    ]
    const file = roundTrip(everything, values)
    assert.deepStrictEqual(file.values.map(plain), values)
    assert.strictEqual(file.header.get("k"), "v")
    assert.strictEqual(file.header.get("avro.codec"), "deflate")
  })

  it("keeps longs on both sides of every byte's edge", () => {
    const longs: Array<bigint> = []
    for (let bit = 0n; bit < 63n; bit++) longs.push(1n << bit, (1n << bit) - 1n, -(1n << bit), -(1n << bit) - 1n)
    assert.deepStrictEqual(roundTrip("long", longs).values, longs)
  })

  it("splits many records into blocks", () => {
    const values = Array.from({ length: 5000 }, (_, i) => record(BigInt(i), i))
    assert.deepStrictEqual(roundTrip(everything, values).values.map(plain), values)
  })

  it("writes an empty file that can be read", () => {
    assert.deepStrictEqual(roundTrip(everything, []).values, [])
  })

  it("writes equal bytes for equal values", () => {
    const write = () => encodeAvroFile(avroLayout(everything, same), new Map(), [record(1n, 1)])
    assert.deepStrictEqual(write(), write())
  })

  it("refuses every truncation that does not end at a block, with one clear error", () => {
    const bytes = encodeAvroFile(avroLayout(everything, same), new Map(), [record(5n, 5), record(6n, 6)])
    const headerEnd = encodeAvroFile(avroLayout(everything, same), new Map(), []).length
    for (let length = 0; length < bytes.length; length++) {
      if (length === headerEnd) continue
      try {
        decodeAvroFile(bytes.slice(0, length), same)
        assert.fail(`${length} bytes were read as a whole file`)
      } catch (error) {
        assert.strictEqual(Object(error)._tag, "FormatError", `at ${length}: ${String(error)}`)
      }
    }
  })

  it("gives an error or another value for every flipped byte, never a crash of another kind", () => {
    const bytes = encodeAvroFile(avroLayout(everything, same), new Map(), [record(5n, 5)])
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice()
      damaged[at] = (damaged[at] ?? 0) ^ 0x55
      try {
        decodeAvroFile(damaged, same)
      } catch (error) {
        assert.strictEqual(Object(error)._tag, "FormatError", `at ${at}: ${String(error)}`)
      }
    }
  })

  it("names a compression that it does not read", () => {
    const bytes = encodeAvroFile(avroLayout("long", same), new Map(), [1n])
    const text = new TextDecoder("latin1").decode(bytes).replace("deflate", "zstdard")
    assert.throws(
      () =>
        decodeAvroFile(
          Uint8Array.from(text, (c) => c.charCodeAt(0)),
          same
        ),
      /zstdard/
    )
  })
})
