import { assert, describe, it } from "@effect/vitest"
import * as Bounds from "../../src/spec/Bounds.ts"
import { singleValueFromBytes, type SingleValue } from "../../src/spec/SingleValue.ts"
import type { PrimitiveType } from "../../src/spec/Type.ts"

const text: PrimitiveType = { _tag: "string" }
const lowerBound = (type: PrimitiveType, value: SingleValue, lengthMax = 16) =>
  Bounds.lowerBound(type, value, lengthMax)
const upperBound = (type: PrimitiveType, value: SingleValue, lengthMax = 16) =>
  Bounds.upperBound(type, value, lengthMax)
const read = (type: PrimitiveType, bytes: Uint8Array | undefined) =>
  bytes === undefined ? undefined : singleValueFromBytes(type, bytes)

describe("Bounds", () => {
  it("keeps text of up to 16 code points and cuts longer text, the upper bound incremented", () => {
    assert.strictEqual(read(text, lowerBound(text, "abcdefghijklmnop")), "abcdefghijklmnop")
    assert.strictEqual(read(text, upperBound(text, "abcdefghijklmnop")), "abcdefghijklmnop")
    assert.strictEqual(read(text, lowerBound(text, "abcdefghijklmnopq")), "abcdefghijklmnop")
    assert.strictEqual(read(text, upperBound(text, "abcdefghijklmnopq")), "abcdefghijklmnoq")
    assert.strictEqual(read(text, upperBound(text, "abc", 2)), "ac")
    assert.strictEqual(read(text, lowerBound(text, "abc", 2)), "ab")
    const unbounded = Number.POSITIVE_INFINITY
    assert.strictEqual(read(text, upperBound(text, "abcdefghijklmnopq", unbounded)), "abcdefghijklmnopq")
  })

  it("counts code points, not UTF-16 units", () => {
    const sixteen = "😀".repeat(16)
    assert.strictEqual(read(text, upperBound(text, sixteen)), sixteen)
    assert.strictEqual(read(text, upperBound(text, sixteen + "x")), "😀".repeat(15) + "😁")
  })

  it("carries over what cannot be incremented, skips surrogates, and gives up when nothing is left", () => {
    const top = "\u{10ffff}"
    assert.strictEqual(read(text, upperBound(text, "a" + top.repeat(16))), "b")
    assert.strictEqual(upperBound(text, top.repeat(17)), undefined)
    assert.strictEqual(read(text, upperBound(text, "a".repeat(15) + "\ud7ff" + "z")), "a".repeat(15) + "\ue000")
  })

  it("cuts binary and increments the last byte that can be", () => {
    const binary: PrimitiveType = { _tag: "binary" }
    const long = Uint8Array.from({ length: 20 }, (_, i) => (i < 14 ? i : 0xff))
    assert.deepStrictEqual(lowerBound(binary, long), long.slice(0, 16))
    assert.deepStrictEqual(
      upperBound(binary, long),
      Uint8Array.from({ length: 14 }, (_, i) => (i === 13 ? 14 : i))
    )
    assert.strictEqual(upperBound(binary, new Uint8Array(17).fill(0xff)), undefined)
  })

  it("widens zeros and gives no bound for NaN", () => {
    const double: PrimitiveType = { _tag: "double" }
    assert.isTrue(Object.is(read(double, lowerBound(double, 0)), -0))
    assert.isTrue(Object.is(read(double, upperBound(double, -0)), 0))
    assert.strictEqual(lowerBound(double, Number.NaN), undefined)
    assert.strictEqual(upperBound(double, Number.NaN), undefined)
  })
})
