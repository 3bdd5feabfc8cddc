/** Rows of the log hold the records they were made of, wherever their values and keys lay. */
import { makeRecordBuilder, type PackedRecords } from "@frazil/core"
import { describe, expect, it } from "vitest"
import { decodeRow, encodeRow, splitRows } from "../../src/embedded/BatchRow.ts"

const makeRandom = (seed: number) => {
  let state = seed
  return (bound: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % bound
  }
}

/** Values with or without gaps, in order or not; keys nowhere, inside, behind or elsewhere. */
const recordsOf = (below: (bound: number) => number): PackedRecords => {
  const length = below(12) + 1
  const bytes = Uint8Array.from({ length: 2_000 }, () => below(256))
  const gaps = below(3)
  let at = below(5)
  const rows = Array.from({ length }, () => {
    const start = (at += gaps === 0 || below(4) > 0 ? 0 : below(20))
    const end = (at += below(40))
    const kind = below(gaps === 2 ? 4 : 2)
    if (kind === 0) return [start, end, -1, -1] as const
    if (kind === 1) {
      const key = start + below(end - start + 1)
      return [start, end, key, key + below(end - key + 1)] as const
    }
    const key = kind === 2 ? at : 1_000 + below(500)
    if (kind === 2) at += 7
    return [start, end, key, key + 7] as const
  })
  if (below(5) === 0) rows.reverse()
  const column = (index: number) => Int32Array.from(rows, (row) => row[index]!)
  return {
    length,
    bytes,
    valueStarts: column(0),
    valueEnds: column(1),
    keyStarts: column(2),
    keyEnds: column(3),
    headers: new Map(below(3) === 0 ? [[0, { a: "b" }]] : [])
  }
}

type Ranges = Omit<PackedRecords, "length">

const contentOf = ({ bytes, keyEnds, keyStarts, valueEnds, valueStarts }: Ranges, row: number) => ({
  value: [...bytes.subarray(valueStarts[row], valueEnds[row])],
  key: keyStarts[row]! < 0 ? null : [...bytes.subarray(keyStarts[row], keyEnds[row])]
})

describe("a row of the log", () => {
  it("holds what it was made of, and nothing that lay between", () => {
    const below = makeRandom(42)
    for (let round = 0; round < 3_000; round++) {
      const records = recordsOf(below)
      const from = below(records.length)
      const to = from + 1 + below(records.length - from)
      const blobs = encodeRow(records, from, to)
      const decoded = decodeRow(to - from, blobs)!
      let size = 0
      for (let row = from; row < to; row++) {
        const wanted = contentOf(records, row)
        expect(contentOf(decoded, row - from)).toEqual(wanted)
        size += wanted.value.length + (wanted.key?.length ?? 0)
      }
      expect(blobs.bytes.length).toBeLessThanOrEqual(size)
      expect(decoded.headers.get(0)).toEqual(records.headers.get(from))
    }
  })

  it("is one of at most twice as many as a batch needs, each within its bounds", () => {
    const below = makeRandom(43)
    for (let round = 0; round < 500; round++) {
      const builder = makeRecordBuilder()
      const sizes = Array.from({ length: below(200) }, () => below(300))
      for (const size of sizes) builder.add(new Uint8Array(size), below(2) === 0 ? null : new Uint8Array(0))
      const rows = splitRows(builder.lend(), 2_000, 25)
      expect(rows.map(({ from }) => from)).toEqual([0, ...rows.map(({ to }) => to)].slice(0, rows.length))
      expect(rows.at(-1)?.to ?? 0).toBe(sizes.length)
      for (const { from, to } of rows) {
        expect(to - from).toBeLessThanOrEqual(25)
        expect(sizes.slice(from, to).reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(2_000)
      }
      const needed = Math.max(sizes.length / 25, sizes.reduce((sum, size) => sum + size, 0) / 2_000)
      expect(rows.length).toBeLessThanOrEqual(2 * Math.ceil(needed))
    }
  })
})
