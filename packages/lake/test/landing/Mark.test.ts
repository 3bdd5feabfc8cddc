/**
 * Marks as text: what is written is read back, what cannot be one is noticed, and two records are never taken for one.
 */
import { assert, describe, it } from "@effect/vitest"
import { makeRecordBuilder, type RecordBatch } from "@frazil/core"
import { fingerprintOf, type Mark, type Marks, readMarks, sameMarks, writeMarks } from "../../src/landing/Mark.ts"

const mark = (next: number, more: Partial<Mark> = {}): Mark => ({
  topicId: "log.7",
  next,
  fingerprint: `${next}`.padStart(32, "0"),
  ...more
})
const marks: Marks = new Map([
  [0, mark(12)],
  [1, mark(0, { fingerprint: "" })],
  [11, mark(2 ** 52)]
])
const written = writeMarks("land.a", "main", marks)
const name = (partition: number | string) => `frazil.mark.land.a.main.${partition}`

describe("readMarks", () => {
  it("reads what writeMarks wrote, among other properties", () => {
    const properties = new Map([
      ["write.format.default", "parquet"],
      ...written,
      ["frazil.mark.land.b.main.0", "other"]
    ])
    assert.deepStrictEqual(readMarks("land.a", "main", properties), marks)
    assert.deepStrictEqual([...written.keys()], [name(0), name(1), name(11)])
  })

  it("finds none where there are none of this landing and branch", () => {
    assert.deepStrictEqual(readMarks("land.b", "main", written), new Map())
    assert.deepStrictEqual(readMarks("land.a", "audit", written), new Map())
  })

  it.each([
    [name(0), ""],
    [name(0), "{}"],
    [name(0), '{"topic":"log.7","next":"12","fingerprint":""}'],
    [name(0), '{"topic":"log.7","next":1.5,"fingerprint":""}'],
    [name(0), '{"topic":"log.7","next":12}'],
    [name(""), [...written.values()][0]!],
    [name("-1"), [...written.values()][0]!],
    [name("1e0"), [...written.values()][0]!],
    [name("first"), [...written.values()][0]!]
  ])("does not guess at %s = %s", (property, text) => {
    assert.isUndefined(readMarks("land.a", "main", new Map([...written, [property, text]])))
  })
})

describe("sameMarks", () => {
  it("tells any difference", () => {
    assert.isTrue(sameMarks(marks, new Map([...marks].reverse())))
    const changes: ReadonlyArray<Marks> = [
      new Map([...marks].slice(1)),
      new Map([...marks, [2, mark(0)]]),
      new Map([...marks].map(([partition, each]) => [partition + 1, each])),
      new Map([...marks, [0, mark(13)]]),
      new Map([...marks, [0, mark(12, { topicId: "log.8" })]]),
      new Map([...marks, [0, mark(12, { fingerprint: "f".repeat(32) })]])
    ]
    for (const change of changes) {
      assert.isFalse(sameMarks(marks, change))
      assert.isFalse(sameMarks(change, marks))
    }
  })
})

describe("fingerprintOf", () => {
  it("tells records apart by key and value, wherever they lie", () => {
    const records: ReadonlyArray<readonly [value: string, key: string | null]> = [
      ["", null],
      ["", ""],
      ["a", null],
      ["", "a"],
      ["ab", "c"],
      ["b", "ca"],
      ["abc", null],
      ["abc", ""],
      ["c", "ab"],
      ["-", null],
      ["1:a", null]
    ]
    const batchOf = (rows: typeof records): RecordBatch => {
      const builder = makeRecordBuilder()
      for (const [value, key] of rows) builder.addText(value, key)
      const positions = new Float64Array(rows.length)
      return { ...builder.take(), offsets: positions, timestamps: positions }
    }
    const together = batchOf(records)
    const prints = records.map((_, row) => fingerprintOf(together, row))
    assert.strictEqual(new Set(prints).size, records.length)
    assert.deepStrictEqual(
      prints,
      records.map((record) => fingerprintOf(batchOf([record]), 0))
    )
    for (const print of prints) assert.match(print, /^[0-9a-f]{32}$/)
  })
})
