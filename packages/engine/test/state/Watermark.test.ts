/** Watermarks: the least of the partitions that are not idle, never going back. */
import { assert, describe, it } from "@effect/vitest"
import { combinedWatermark, type PartitionTime, watermarkOf } from "../../src/state/Watermark.ts"

const none = Number.NEGATIVE_INFINITY
const at = (maxEventTime: number, idle = false): PartitionTime => ({ maxEventTime, idle })

describe("a watermark", () => {
  it("is the highest event time less the out-of-orderness", () => {
    assert.strictEqual(watermarkOf(at(10_000), 3000), 7000)
    assert.strictEqual(watermarkOf(at(none), 3000), none)
  })

  it("of several partitions is the least one's", () => {
    assert.strictEqual(combinedWatermark(none, [at(10_000), at(8000), at(9000)], 1000), 7000)
  })

  it("leaves out partitions that are idle or have had no records", () => {
    assert.strictEqual(combinedWatermark(none, [at(10_000), at(8000, true), at(none)], 1000), 9000)
  })

  it("stays where all are idle, and never goes back when one wakes with older records", () => {
    assert.strictEqual(combinedWatermark(9000, [at(10_000, true), at(8000, true)], 1000), 9000)
    assert.strictEqual(combinedWatermark(9000, [at(10_000), at(8000)], 1000), 9000)
    assert.strictEqual(combinedWatermark(none, [], 1000), none)
  })
})
