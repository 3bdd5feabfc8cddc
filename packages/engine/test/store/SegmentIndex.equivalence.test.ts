/** An index searched through its sample against one looked at key by key; ranks of keys against the keys. */
import { assert, describe, it } from "@effect/vitest"
import { compareKeys, keyBytesMax, rankOf, sharedPrefix, writeKey } from "../../src/store/KeyBytes.ts"
import { SegmentIndex } from "../../src/store/SegmentIndex.ts"
import { type Chance, makeChance } from "../support/Chance.ts"

const bytesOf = (key: string): Uint8Array => {
  const bytes = new Uint8Array(keyBytesMax(key))
  return bytes.slice(0, writeKey(key, bytes, 0))
}

const alphabets = ["01", "0123456789", "a\u0000", "aü\ud83d"]
const keyOf = (chance: Chance, prefix: string, alphabet: string, lengthMax: number): string =>
  prefix + Array.from({ length: chance.below(lengthMax) }, () => alphabet[chance.below(alphabet.length)]!).join("")

const order = (left: Uint8Array, right: Uint8Array): number => compareKeys(left, 0, left.length, right, 0, right.length)

const sortedKeys = (chance: Chance, count: number): ReadonlyArray<Uint8Array> => {
  const prefix = chance.pick(["", "ACC0000", "ü"])
  const alphabet = chance.pick(alphabets)
  const keys = new Set(Array.from({ length: count }, () => keyOf(chance, prefix, alphabet, 14)))
  return [...keys].map(bytesOf).sort(order)
}

describe("a segment's index", () => {
  it("finds the block that looking at each of them finds: 40 indexes of up to 700 blocks", () => {
    let blocks = 0
    for (let seed = 1; seed <= 40; seed++) {
      const chance = makeChance(seed)
      const keys = sortedKeys(chance, chance.pick([1, 2, 64, 65, 130, 700]))
      const index = new SegmentIndex()
      for (const [at, key] of keys.entries()) {
        const padded = new Uint8Array([7, ...key, 7])
        index.add(padded, 1, 1 + key.length, 100 * (at + 1))
      }
      if (chance.once(2)) index.trim()
      blocks += index.blocks
      assert.deepStrictEqual(index.firstKey, keys[0])
      const asked = [...keys, ...sortedKeys(chance, 300), new Uint8Array(0), new Uint8Array([255])]
      for (const key of asked) {
        const expected = keys.findLastIndex((each) => order(each, key) <= 0)
        assert.strictEqual(index.blockOf(key, key.length), expected, `seed ${seed}`)
      }
      assert.strictEqual(index.from(keys.length - 1), 100 * (keys.length - 1))
      assert.strictEqual(index.to(keys.length - 1), 100 * keys.length)
    }
    assert.isAbove(blocks, 3000)
  })
})

describe("ranks of keys", () => {
  it("are in the order of the keys, as far as they differ", () => {
    let differ = 0
    for (let seed = 1; seed <= 40; seed++) {
      const keys = sortedKeys(makeChance(seed), 200)
      const shared = sharedPrefix([keys[0]!, keys.at(-1)!])
      for (const key of keys) assert.strictEqual(sharedPrefix([keys[0]!, key]) >= shared, true)
      const ranks = keys.map((key) => rankOf(key, 0, key.length, shared))
      for (let at = 1; at < ranks.length; at++) {
        assert.isAtMost(ranks[at - 1]!, ranks[at]!, `seed ${seed}`)
        if (ranks[at - 1]! < ranks[at]!) differ++
      }
    }
    assert.isAbove(differ, 2000)
    assert.strictEqual(sharedPrefix([]), 0)
  })
})
