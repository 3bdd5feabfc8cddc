import { Buffer } from "node:buffer"
import { assert, describe, it } from "@effect/vitest"
import { compareValues, summariseField } from "../../src/spec/Manifest.ts"
import { singleValueFromBytes } from "../../src/spec/SingleValue.ts"

describe("compareValues", () => {
  it("orders text as its UTF-8 bytes, also where UTF-16 differs", () => {
    const texts = ["", "a", "ab", "b", "\u00e9", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "😀", "a\uffff", "a😀"]
    for (const a of texts) {
      for (const b of texts) {
        const expected = Buffer.compare(Buffer.from(a), Buffer.from(b))
        assert.strictEqual(Math.sign(compareValues(a, b)), expected, `${JSON.stringify(a)} and ${JSON.stringify(b)}`)
      }
    }
  })

  it("orders bytes without sign, and numbers by value", () => {
    assert.isBelow(compareValues(Uint8Array.of(1), Uint8Array.of(0xff)), 0)
    assert.isBelow(compareValues(Uint8Array.of(1), Uint8Array.of(1, 0)), 0)
    assert.isAbove(compareValues(2n ** 60n, -1n), 0)
    assert.strictEqual(compareValues(0, -0), 0)
  })
})

describe("summariseField", () => {
  it("gives bounds over all values, and says whether null and NaN are among them", () => {
    const double = { _tag: "double" as const }
    const read = (bytes: Uint8Array | null) => (bytes === null ? null : singleValueFromBytes(double, bytes))
    const some = summariseField(double, [null, 2, Number.NaN, -3])
    assert.deepStrictEqual(
      [some.containsNull, some.containsNan, read(some.lowerBound), read(some.upperBound)],
      [true, true, -3, 2]
    )
    // a reader that tells them apart must find both (specification, "Manifest Lists")
    for (const zeros of [
      [0, -0],
      [-0, 0]
    ]) {
      const { lowerBound, upperBound } = summariseField(double, zeros)
      assert.deepStrictEqual([read(lowerBound), read(upperBound)], [-0, 0])
    }
    const none = summariseField(double, [Number.NaN])
    assert.deepStrictEqual(
      [none.containsNull, none.containsNan, none.lowerBound, none.upperBound],
      [false, true, null, null]
    )
  })
})
