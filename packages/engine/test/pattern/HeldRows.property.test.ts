/** Records held in columns against a sorted list: any order of coming and going, bytes and all. */
import { assert, describe, it } from "@effect/vitest"
import type { HeldRecord } from "../../src/pattern/HeldRecord.ts"
import { HeldKeys } from "../../src/pattern/HeldKeys.ts"
import { HeldRows, makeMutableHeld, noRow, ownedHeld } from "../../src/pattern/HeldRows.ts"
import { makeChance } from "../support/Chance.ts"

interface Kept {
  readonly id: number
  readonly time: number
  readonly text: string
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const cellsOf = (id: number): Array<[string, unknown]> | undefined =>
  id % 3 === 0
    ? undefined
    : [
        ["__proto__", `w${id}`],
        ["n", id]
      ]

const entriesOf = ({ cells }: HeldRecord) => (cells === undefined ? undefined : Object.entries(cells))

describe("held rows", () => {
  it("give records by time, those of one time as they came, each with its own bytes and cells", () => {
    for (let seed = 1; seed <= 4; seed++) {
      const chance = makeChance(seed)
      const keys = new HeldKeys(2)
      const rows = new HeldRows(["__proto__", "n"], keys)
      const [words, numbers] = rows.cells
      const held = makeMutableHeld()
      const model: Array<Kept> = []
      const owned: Array<readonly [HeldRecord, Kept]> = []
      // the batch's buffer is used again, and sometimes another one is read beside it
      const buffers = [new Uint8Array(1_600_000), new Uint8Array(1_600_000)] as const
      const used = [0, 0]
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
        assert.deepStrictEqual(entriesOf(held), cellsOf(expected.id))
        if (chance.once(50)) owned.push([ownedHeld(held), expected])
        rows.forget(row)
      }
      for (let id = 0; id < 2500; id++) {
        const time = id - (chance.once(4) ? chance.below(500) : 0)
        // now and then one that no segment holds beside others
        const text = `${id} `.repeat(chance.once(1500) ? 60_000 : 1 + chance.below(40))
        const bytes = encoder.encode(text)
        const other = chance.once(40) ? 1 : 0
        const start = used[other]! + chance.pick([0, 1, 1, 1, 64, 65, 1000])
        const end = start + bytes.length
        buffers[other].set(bytes, start)
        used[other] = end
        const celled = id % 3 !== 0
        const key = keys.of(`k${id % 7}`, () => false)
        keys.enter(key)
        const row = rows.add(id, key, time, 1, id, 0, buffers[other], start, end, undefined, false, celled)
        if (celled) {
          words![row] = `w${id}`
          numbers![row] = id
        }
        model.push({ id, time, text })
        if (end > 400_000 || chance.once(60)) {
          rows.keepBytes()
          if (chance.once(3)) rows.forgetSource()
          for (const [at, buffer] of buffers.entries()) {
            buffer.fill(63, 0, used[at])
            used[at] = 0
          }
        }
        for (let more = chance.below(id < 1800 ? 2 : 4); more > 0; more--) shift()
      }
      assert.strictEqual(rows.length(), model.length)
      while (rows.first() !== noRow) shift()
      for (const [record, { id, text }] of owned) {
        assert.strictEqual(decoder.decode(record.bytes), text)
        assert.deepStrictEqual(entriesOf(record), cellsOf(id))
      }
      assert.isAbove(owned.length, 10)
    }
  })
})
