/** Packed texts against the texts themselves: what is packed comes back, and is shorter than it was. */
import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { BlockWriter, entriesOf, entryAt, makeEntry, ValueTexts } from "../../src/store/Block.ts"
import { packedMax, TextPacker, TextUnpacker } from "../../src/store/TextPacker.ts"
import { type Chance, makeChance } from "../support/Chance.ts"

const around = 5

/** Alphabets from one letter to all bytes; pieces that come again, near and far. */
const bytesOf = (chance: Chance): Buffer => {
  const length = chance.below(chance.once(60) ? 100_000 : chance.pick([4, 60, 300, 3000]))
  const kinds = ["a", "01", "0123456789", '0123456789,.-":[', "abcdefgh{}0123", undefined] as const
  let kind = chance.pick(kinds)
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length;) {
    if (chance.once(40)) kind = chance.pick(kinds)
    const piece = chance.below(40)
    if (at > 0 && chance.once(3)) {
      const from = chance.below(at)
      for (let byte = 0; byte < piece && at < length; byte++) bytes[at++] = bytes[from + byte]!
    } else {
      for (let byte = 0; byte < piece + 1 && at < length; byte++)
        bytes[at++] = kind === undefined ? chance.below(256) : kind.charCodeAt(chance.below(kind.length))
    }
  }
  return bytes
}

describe("a packed text", () => {
  it("comes back as it was, and is shorter: 2,000 texts by one packer", () => {
    const chance = makeChance(11)
    const packer = new TextPacker()
    const unpacker = new TextUnpacker()
    let shorter = 0
    for (let turn = 0; turn < 2000; turn++) {
      const text = bytesOf(chance)
      const source = Buffer.concat([Buffer.from("xxxxx"), text, Buffer.from("xxxxx")])
      const into = Buffer.alloc(around + packedMax(text.length))
      const end = packer.pack(source, around, around + text.length, into, around)
      if (end < 0) continue
      shorter++
      assert.isBelow(end - around, text.length)
      // what lies behind it does not matter
      into.fill(0xff, end)
      const length = unpacker.begin(into, around)
      assert.strictEqual(length, text.length, `turn ${turn}`)
      const back = Buffer.alloc(length)
      unpacker.unpack(back, length)
      assert.isTrue(back.equals(text), `turn ${turn}`)
    }
    assert.isAbove(shorter, 700)
  })

  it("makes JSON of numbers and like texts half as long, and leaves alone what has no order", () => {
    const chance = makeChance(3)
    const packer = new TextPacker()
    const into = Buffer.alloc(4096)
    const json = JSON.stringify({
      shops: Array.from({ length: 20 }, () => `SHOP-${chance.below(99_999)}`),
      amounts: Array.from({ length: 20 }, () => chance.below(10_000))
    })
    const packed = packer.pack(Buffer.from(json), 0, json.length, into, 0)
    assert.isAbove(packed, 0)
    assert.isBelow(packed, 0.55 * json.length)
    const noise = Buffer.from(Array.from({ length: 2000 }, () => chance.below(256)))
    assert.strictEqual(packer.pack(noise, 0, noise.length, into, 0), -1)
  })

  it("is an entry of a block like others, also when the block's bytes were copied", () => {
    const chance = makeChance(5)
    const texts = new ValueTexts()
    const entry = makeEntry()
    const key = new Uint8Array([107])
    for (let turn = 0; turn < 300; turn++) {
      const values = Array.from({ length: 1 + chance.below(4) }, () =>
        chance.once(5)
          ? undefined
          : JSON.stringify(
              Array.from({ length: chance.below(60) }, () => chance.pick(["ü", "😀", "\ud83d", "ab", 1234]))
            )
      )
      const block = new BlockWriter()
      for (const value of values) block.add(key, 1, turn, value)
      block.end()
      const copied = new BlockWriter()
      for (let at = 0; at < values.length; at++) {
        entryAt(block.bytes.subarray(0, block.length), at, entry)
        copied.copy(entry, false)
      }
      copied.end()
      const read = copied.bytes.subarray(0, copied.length)
      assert.strictEqual(entriesOf(read), values.length)
      for (const [at, value] of values.entries()) {
        entryAt(read, at, entry)
        assert.strictEqual(entry.deleted, value === undefined)
        if (value !== undefined) assert.strictEqual(texts.of(entry), value)
        assert.strictEqual(entry.time, turn)
      }
    }
  })
})
