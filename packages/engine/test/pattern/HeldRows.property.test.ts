/** Records held in columns against a sorted list: any order of coming and going, bytes and all. */
import { assert, describe, it } from "@effect/vitest"
import { HeldRows, makeMutableHeld, noRow, ownedHeld } from "../../src/pattern/HeldRows.ts"
import { makeChance } from "../support/Chance.ts"

interface Kept {
  readonly id: number
  readonly time: number
  readonly text: string
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

describe("held rows", () => {
  it("give records by time, those of one time as they came, each with its own bytes", () => {
    for (let seed = 1; seed <= 4; seed++) {
      const chance = makeChance(seed)
      const rows = new HeldRows()
      const held = makeMutableHeld()
      const model: Array<Kept> = []
      const owned: Array<readonly [ReturnType<typeof ownedHeld>, string]> = []
      // the batch's buffer is used again
      const buffer = new Uint8Array(800_000)
      const shift = () => {
        const row = rows.first()
        const expected = model.reduce<Kept | undefined>(
          (first, each) =>
            first === undefined || each.time < first.time || (each.time === first.time && each.id < first.id)
              ? each
              : first,
          undefined
        )
        if (expected === undefined) return assert.strictEqual(row, noRow)
        model.splice(model.indexOf(expected), 1)
        assert.strictEqual(rows.firstTime(), expected.time)
        rows.shift(row)
        rows.read(row, held)
        assert.deepStrictEqual([held.id, held.key], [expected.id, `k${expected.id % 7}`], `seed ${seed}`)
        assert.strictEqual(decoder.decode(held.bytes.subarray(held.start, held.end)), expected.text)
        if (chance.once(50)) owned.push([ownedHeld(held), expected.text])
        rows.forget(row)
      }
      for (let id = 0; id < 2500; id++) {
        const time = id - (chance.once(4) ? chance.below(500) : 0)
        // now and then one that no segment holds beside others
        const text = `${id} `.repeat(chance.once(1500) ? 60_000 : 1 + chance.below(40))
        const bytes = encoder.encode(text)
        buffer.set(bytes, id % 10)
        rows.add(
          id,
          `k${id % 7}`,
          time,
          1,
          id,
          0,
          buffer,
          id % 10,
          (id % 10) + bytes.length,
          undefined,
          false,
          undefined
        )
        model.push({ id, time, text })
        if (id % 100 === 0) rows.forgetSource()
        for (let more = chance.below(id < 1800 ? 2 : 4); more > 0; more--) shift()
      }
      assert.strictEqual(rows.length(), model.length)
      while (rows.first() !== noRow) shift()
      for (const [record, text] of owned) assert.strictEqual(decoder.decode(record.bytes), text)
      assert.isAbove(owned.length, 10)
    }
  })
})
