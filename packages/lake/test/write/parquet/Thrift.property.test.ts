/**
 * Thrift trees survive being written and read; bytes that are none are refused, whatever they are.
 */
import { assert, describe, it } from "@effect/vitest"
import { FormatError } from "../../../src/spec/FormatError.ts"
import {
  thriftFromBytes,
  thriftToBytes,
  ThriftType,
  type ThriftField,
  type ThriftStruct,
  type ThriftValue
} from "../../../src/write/parquet/Thrift.ts"
import { seeded } from "./WriterCases.ts"

type Below = (bound: number) => number

const integers = [0, 1, -1, 63, -64, 64, 127, 128, 2 ** 31 - 1, -(2 ** 31), 2 ** 40, -(2 ** 40), 2 ** 52 - 1]

const randomValue = (below: Below, type: number, depth: number): ThriftValue => {
  switch (type) {
    case ThriftType.True:
      return true
    case ThriftType.False:
      return false
    case ThriftType.Byte:
      return below(256)
    case ThriftType.Binary:
      return Uint8Array.from({ length: below(40) }, () => below(256))
    case ThriftType.List: {
      const elementType = [ThriftType.True, ThriftType.I32, ThriftType.Binary, ThriftType.Struct][below(4)]!
      const items = Array.from({ length: below(20) }, () =>
        elementType === ThriftType.True ? below(2) === 0 : randomValue(below, elementType, depth + 1)
      )
      return { elementType, items }
    }
    case ThriftType.Struct:
      return randomStruct(below, depth + 1)
    default:
      return integers[below(integers.length)]!
  }
}

const types = Object.values(ThriftType)

const randomStruct = (below: Below, depth: number): ThriftStruct => {
  const fields = new Map<number, ThriftField>()
  let id = 0
  const count = depth > 4 ? 0 : below(8)
  for (let i = 0; i < count; i++) {
    // near and far ids take different forms
    id += 1 + below(below(4) === 0 ? 300 : 10)
    const type = types[below(types.length)]!
    fields.set(id, { type, value: randomValue(below, type, depth) })
  }
  return fields
}

describe("Thrift's compact protocol", () => {
  it("gives back every tree that was written (seeds 1 to 300)", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const tree = randomStruct(seeded(seed), 0)
      assert.deepStrictEqual(thriftFromBytes(thriftToBytes(tree)), tree, `seed ${seed}`)
    }
  })

  it("refuses bytes that end too early or are no tree, with a FormatError (seeds 1 to 300)", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const below = seeded(seed)
      const bytes = thriftToBytes(randomStruct(below, 0))
      const cut = bytes.subarray(0, below(bytes.length))
      assert.throws(() => thriftFromBytes(cut), FormatError, undefined, `seed ${seed}`)
      const noise = Uint8Array.from({ length: 60 }, () => below(256))
      try {
        thriftFromBytes(noise)
      } catch (error) {
        assert.instanceOf(error, FormatError, `seed ${seed}`)
      }
    }
  })

  it("refuses integers above 2^53 rather than rounding them", () => {
    const bytes = Uint8Array.of((1 << 4) | ThriftType.I64, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0)
    assert.throws(() => thriftFromBytes(bytes), FormatError)
  })
})
