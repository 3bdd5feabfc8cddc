/** Records that wait, in a delta: they come back as they were, whatever lies beside them; so do those of older programs. */
import { assert, describe, it } from "@effect/vitest"
import { decodeHeldColumns, makeHeldColumns } from "../../src/pattern/HeldColumns.ts"
import type { HeldRecord } from "../../src/pattern/HeldRecord.ts"
import { makeMutableHeld } from "../../src/pattern/HeldRows.ts"
import { RawBytes } from "../../src/state/RawBytes.ts"
import { makeChance } from "../support/Chance.ts"

const utf8 = new TextEncoder()
const decoder = new TextDecoder()

const toldOf = ({ bytes, end, start, ...held }: HeldRecord) => ({
  ...held,
  bytes: decoder.decode(bytes.subarray(start, end))
})

/** What stands behind the JSON of a delta. */
const rawOf = (raw: RawBytes): Uint8Array => raw.behind("{}").subarray(3)

describe("held columns", () => {
  it("give back records of several batches, among other bytes and neighbours or far apart", () => {
    const chance = makeChance(1)
    for (let round = 0; round < 50; round++) {
      const raw = new RawBytes()
      // another operator's, so that numbers begin anywhere
      raw.add(utf8.encode("#".repeat(chance.below(9))), 0, chance.below(1))
      const records: Array<HeldRecord> = []
      let batch = new Uint8Array(0)
      let at = 0
      for (let id = 0; id < 40; id++) {
        const text = `{"n":"${"é".repeat(chance.below(30))}"}`
        if (id === 0 || chance.once(12)) {
          batch = new Uint8Array(10_000).fill(63)
          at = 0
        }
        const start = at + chance.pick([0, 1, 32, 33, 100])
        const end = start + utf8.encodeInto(text, batch.subarray(start)).written
        at = end
        const key = `k${chance.below(5)}`
        const fields = { id: 2 ** 40 + id, key, time: -id * 1.5, offset: 2 ** 33 + id, mask: id % 8, port: id % 2 }
        records.push({ ...makeMutableHeld(), ...fields, bytes: batch, start, end })
      }
      const columns = makeHeldColumns(raw, records.length)
      for (const record of records) columns.add(record)
      const read = JSON.parse(JSON.stringify(columns.taken())) as ReturnType<typeof columns.taken>
      assert.deepStrictEqual([...decodeHeldColumns(read, rawOf(raw))].map(toldOf), records.map(toldOf))
      assert.throws(() => [...decodeHeldColumns(read, rawOf(raw).subarray(0, raw.length - 1))], "less bytes")
    }
  })

  it("are read as older programs wrote them", () => {
    const columns = {
      begin: 1,
      lengths: [2, 3],
      keys: ["a", "b"],
      ids: [7, 8],
      times: [20, 10],
      offsets: [70, 80],
      masks: [1, 2],
      ports: [0, 1]
    }
    const rest = { text: undefined, changed: false, record: undefined, cells: undefined, turn: 0 }
    assert.deepStrictEqual([...decodeHeldColumns(columns, utf8.encode("#{}[0]"))].map(toldOf), [
      { ...rest, id: 7, key: "a", time: 20, offset: 70, mask: 1, port: 0, bytes: "{}" },
      { ...rest, id: 8, key: "b", time: 10, offset: 80, mask: 2, port: 1, bytes: "[0]" }
    ])
  })
})
