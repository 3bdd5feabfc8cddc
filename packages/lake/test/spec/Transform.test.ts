import { assert, describe, it } from "@effect/vitest"
import { murmur3 } from "../../src/spec/Murmur3.ts"
import type { SingleValue } from "../../src/spec/SingleValue.ts"
import {
  applyTransform,
  bucketHash,
  transformFromText,
  transformResult,
  transformToText
} from "../../src/spec/Transform.ts"
import { primitiveFromText } from "../../src/spec/Type.ts"

const micros = (iso: string, more = 0): bigint => BigInt(Date.parse(`${iso}Z`)) * 1000n + BigInt(more)
const days = (iso: string): number => Date.parse(iso) / 86_400_000

// Specification, appendix B, and the reference implementation's TestBucketing.
const hashes: ReadonlyArray<readonly [type: string, value: SingleValue, hash: number]> = [
  ["int", 34, 2017239379],
  ["int", 1, 1392991556],
  ["long", 34n, 2017239379],
  ["decimal(9, 2)", 1420n, -500754589],
  ["date", days("2017-11-16"), -653330422],
  ["time", 81_068_000_000n, -662762989],
  ["timestamp", micros("2017-11-16T22:31:08"), -2047944441],
  ["timestamp", micros("2017-11-16T22:31:08", 1), -1207196810],
  ["timestamptz", micros("2017-11-16T22:31:08"), -2047944441],
  ["timestamptz", micros("2017-11-16T22:31:08", 1), -1207196810],
  ["timestamp_ns", micros("2017-11-16T22:31:08") * 1000n, -2047944441],
  ["timestamp_ns", micros("2017-11-16T22:31:08", 1) * 1000n + 1n, -1207196810],
  ["string", "iceberg", 1210000089],
  ["uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7", 1488055340],
  ["fixed[4]", Uint8Array.of(0, 1, 2, 3), -188683207],
  ["binary", Uint8Array.of(0, 1, 2, 3), -188683207]
]

const apply = (transform: string, type: string, value: SingleValue | null) =>
  applyTransform(transformFromText(transform, "test"), primitiveFromText(type, "test"), value)

describe("Transform", () => {
  for (const [type, value, hash] of hashes) {
    it(`hashes ${type} to ${hash} and puts it into a bucket that is never negative`, () => {
      assert.strictEqual(bucketHash(primitiveFromText(type, "test"), value), hash)
      assert.strictEqual(apply("bucket[16]", type, value), (hash & 0x7fffffff) % 16)
    })
  }

  it("hashes tails of every length, zero bytes at the end included", () => {
    const text = new TextEncoder().encode("iceberg!")
    const seen = new Set(Array.from({ length: 9 }, (_, i) => murmur3(text.subarray(0, i))))
    assert.strictEqual(seen.size, 9)
    assert.strictEqual(murmur3(new Uint8Array(0)), 0)
    assert.notStrictEqual(murmur3(Uint8Array.of(1, 0)), murmur3(Uint8Array.of(1)))
  })

  it("counts years, months, days and hours from 1970, backwards too", () => {
    const cases: ReadonlyArray<readonly [string, number, number, number, number]> = [
      ["2017-12-01T10:12:55.038", 47, 575, 17501, 420034],
      ["1970-01-01T00:00:01", 0, 0, 0, 0],
      ["1969-12-31T23:59:58.999", -1, -1, -1, -1],
      ["1969-01-01T00:00:00", -1, -12, -365, -8760],
      ["2000-02-29T23:59:59.999", 30, 361, 11016, 264407],
      ["1900-03-01T00:00:00", -70, -838, -25508, -612192]
    ]
    for (const [iso, year, month, day, hour] of cases) {
      assert.strictEqual(apply("year", "timestamptz", micros(iso)), year)
      assert.strictEqual(apply("month", "timestamptz", micros(iso)), month)
      assert.strictEqual(apply("day", "timestamptz", micros(iso)), day)
      assert.strictEqual(apply("hour", "timestamp", micros(iso)), hour)
      assert.strictEqual(apply("month", "date", day), month)
      assert.strictEqual(apply("year", "date", day), year)
      assert.strictEqual(apply("day", "date", day), day)
    }
  })

  it("agrees with the calendar for every day of 800 years", () => {
    for (let day = days("1600-01-01"); day < days("2400-01-01"); day++) {
      const date = new Date(day * 86_400_000)
      const months = (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
      if (apply("month", "date", day) !== months) assert.fail(`day ${day}`)
    }
  })

  it("truncates downwards, text by code points, decimals by unscaled width", () => {
    assert.strictEqual(apply("truncate[10]", "int", 1), 0)
    assert.strictEqual(apply("truncate[10]", "int", -1), -10)
    assert.strictEqual(apply("truncate[10]", "long", -11n), -20n)
    assert.strictEqual(apply("truncate[50]", "decimal(9, 2)", 1065n), 1050n)
    assert.strictEqual(apply("truncate[10]", "decimal(9, 2)", -5n), -10n)
    assert.strictEqual(apply("truncate[3]", "string", "iceberg"), "ice")
    assert.strictEqual(apply("truncate[2]", "string", "😀😁😂"), "😀😁")
    assert.deepStrictEqual(apply("truncate[3]", "binary", Uint8Array.of(1, 2, 3, 4, 5)), Uint8Array.of(1, 2, 3))
  })

  it("gives null for null, and void always", () => {
    for (const transform of ["identity", "bucket[4]", "truncate[4]", "void"]) {
      assert.strictEqual(apply(transform, "string", null), null)
    }
    assert.strictEqual(apply("day", "date", null), null)
    assert.strictEqual(apply("void", "string", "x"), null)
  })

  it("keeps its text, unknown transforms included", () => {
    for (const text of ["identity", "year", "month", "day", "hour", "void", "bucket[16]", "truncate[4]", "zorder"]) {
      assert.strictEqual(transformToText(transformFromText(text, "test")), text)
    }
    assert.strictEqual(transformFromText("zorder", "test")._tag, "unknown")
    assert.throws(() => transformFromText("bucket[0]", "test"), /no such transform/)
  })

  it("knows what each transform gives and which columns it takes", () => {
    const result = (transform: string, type: string) =>
      transformResult(transformFromText(transform, "t"), primitiveFromText(type, "t"))?._tag
    assert.strictEqual(result("day", "timestamptz"), "date")
    assert.strictEqual(result("hour", "timestamptz"), "int")
    assert.strictEqual(result("hour", "date"), undefined)
    assert.strictEqual(result("identity", "string"), "string")
    assert.strictEqual(result("bucket[2]", "double"), undefined)
    assert.strictEqual(result("truncate[2]", "uuid"), undefined)
    assert.strictEqual(result("zorder", "string"), undefined)
  })
})
