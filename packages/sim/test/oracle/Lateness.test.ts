import { assert, describe, it } from "@effect/vitest"
import { judgeTimes } from "../../src/oracle/Lateness.ts"
import type { OracleRow } from "../../src/oracle/RawTransactions.ts"

const rowAt = (offset: number, time: string, partition = 0, account = "A"): OracleRow => ({
  line: offset + 1,
  partition,
  offset,
  values: { account_id: account, event_timestamp: `2026-01-14T${time}.000000Z` },
  extraFields: null,
  cents: 100n,
  day: "2026-01-14"
})
const reasonsOf = (rows: ReadonlyArray<OracleRow>) =>
  judgeTimes(rows).entries.map(({ offset, partition, reason }) => `${reason} ${partition}/${offset}`)

describe("the oracle of time", () => {
  it("takes a record that some of its windows still take for dropped, and one that none takes for late", () => {
    // the watermark is 12:19:55; windows that end at 12:14 or before are closed
    const rows = [
      rowAt(0, "12:20:00"),
      rowAt(1, "12:14:00"),
      rowAt(2, "12:13:59"),
      rowAt(3, "12:10:00"),
      rowAt(4, "12:09:59")
    ]
    assert.deepStrictEqual(reasonsOf(rows), ["dropped 0/2", "dropped 0/3", "late 0/4"])
    const { takes } = judgeTimes(rows)
    assert.isFalse(takes(rows[2]!, Date.UTC(2026, 0, 14, 12, 14)))
    assert.isTrue(takes(rows[2]!, Date.UTC(2026, 0, 14, 12, 15)))
  })

  it("judges each partition by its own time, and each record by the time before it", () => {
    assert.deepStrictEqual(reasonsOf([rowAt(0, "12:00:00"), rowAt(0, "18:00:00", 1), rowAt(1, "11:59:00")]), [])
  })

  it("lets a lead move time only as the third in a row, by the least of the last three", () => {
    const leads = [rowAt(0, "10:00:00"), rowAt(1, "12:00:00"), rowAt(2, "11:30:00", 0, "B")]
    assert.deepStrictEqual(reasonsOf([...leads, rowAt(3, "10:00:01"), rowAt(4, "12:00:00")]), [
      "lead 0/1",
      "lead 0/2",
      "lead 0/4"
    ])
    assert.deepStrictEqual(reasonsOf([...leads, rowAt(3, "12:30:00"), rowAt(4, "11:15:00"), rowAt(5, "11:25:00")]), [
      "lead 0/1",
      "lead 0/2",
      "lead 0/3",
      "late 0/4"
    ])
  })

  it("lets those of one account move it only as the hundredth in a row", () => {
    const own = Array.from({ length: 100 }, (_, index) => rowAt(1 + index, "12:00:00"))
    const after = rowAt(101, "10:00:00", 0, "B")
    const reasons = (count: number) => reasonsOf([rowAt(0, "10:00:00"), ...own.slice(0, count), after])
    assert.deepStrictEqual([reasons(99).at(-1), reasons(99).length], ["lead 0/99", 99])
    assert.deepStrictEqual([reasons(100).at(-1), reasons(100).length], ["late 0/101", 101])
  })
})
