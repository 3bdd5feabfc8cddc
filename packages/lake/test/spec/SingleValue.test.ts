import { assert, describe, it } from "@effect/vitest"
import { bigintFromBytes, bigintToBytes, singleValueFromBytes, singleValueToBytes } from "../../src/spec/SingleValue.ts"
import type { SingleValue } from "../../src/spec/SingleValue.ts"
import { primitiveFromText } from "../../src/spec/Type.ts"

// Values of the specification's appendix D as its reference implementation's TestConversions has them.
const vectors: ReadonlyArray<readonly [type: string, value: SingleValue, hex: string]> = [
  ["boolean", false, "00"],
  ["boolean", true, "01"],
  ["int", 84202, "ea480100"],
  ["int", -2147483648, "00000080"],
  ["long", 200n, "c800000000000000"],
  ["long", -1n, "ffffffffffffffff"],
  ["float", -4.5, "000090c0"],
  ["double", 6.0, "0000000000001840"],
  ["date", 1000, "e8030000"],
  ["time", 10000000000n, "00e40b5402000000"],
  ["timestamp", 400000n, "801a060000000000"],
  ["timestamptz", 400000n, "801a060000000000"],
  ["string", "ABC", "414243"],
  ["string", "", ""],
  ["uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7", "f79c3e09677c4bbda4793f349cb785e7"],
  ["fixed[2]", Uint8Array.of(97, 98), "6162"],
  ["binary", Uint8Array.of(90, 91, 92), "5a5b5c"],
  ["decimal(9, 2)", 345n, "0159"],
  ["decimal(9, 0)", 0n, "00"],
  ["decimal(7, 4)", 1234567n, "12d687"],
  ["decimal(7, 4)", -1234567n, "ed2979"],
  ["decimal(10, 3)", 11n, "0b"],
  ["decimal(9, 4)", 12345n, "3039"],
  ["decimal(9, 4)", -12345n, "cfc7"],
  ["decimal(38, 0)", 10n ** 38n - 1n, "4b3b4ca85a86c47a098a223fffffffff"],
  ["decimal(38, 0)", -(10n ** 38n - 1n), "b4c4b357a5793b85f675ddc000000001"]
]

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("")
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (b) => Number.parseInt(b, 16))

describe("SingleValue", () => {
  for (const [text, value, hex] of vectors) {
    it(`writes and reads ${text} as ${hex === "" ? "nothing" : hex}`, () => {
      const type = primitiveFromText(text, "test")
      assert.strictEqual(hexOf(singleValueToBytes(type, value)), hex)
      assert.deepStrictEqual(singleValueFromBytes(type, bytesOf(hex)), value)
    })
  }

  it("reads bounds written before a promotion", () => {
    assert.strictEqual(singleValueFromBytes({ _tag: "long" }, bytesOf("feffffff")), -2n)
    assert.strictEqual(singleValueFromBytes({ _tag: "double" }, bytesOf("000090c0")), -4.5)
  })

  it("uses the fewest bytes for every magnitude around a byte's edge", () => {
    for (const bits of [7n, 8n, 15n, 16n, 31n, 32n, 63n, 64n, 126n]) {
      for (const value of [2n ** bits - 1n, 2n ** bits, -(2n ** bits), -(2n ** bits) - 1n]) {
        const bytes = bigintToBytes(value)
        assert.strictEqual(bigintFromBytes(bytes), value)
        assert.isTrue(bytes.length === 1 || BigInt.asIntN((bytes.length - 1) * 8, value) !== value)
      }
    }
  })

  it("refuses lengths that cannot be the type's, and text that is not UTF-8", () => {
    assert.throws(() => singleValueFromBytes({ _tag: "int" }, new Uint8Array(3)), /3 bytes are no value of type int/)
    assert.throws(() => singleValueFromBytes({ _tag: "decimal", precision: 9, scale: 2 }, new Uint8Array(0)))
    assert.throws(() => singleValueFromBytes({ _tag: "string" }, Uint8Array.of(0xff)), /not UTF-8/)
  })

  it("keeps a byte order mark at the start of text", () => {
    const bytes = singleValueToBytes({ _tag: "string" }, "\ufeffa")
    assert.strictEqual(singleValueFromBytes({ _tag: "string" }, bytes), "\ufeffa")
  })
})
