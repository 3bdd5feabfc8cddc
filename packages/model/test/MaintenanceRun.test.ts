import { Decoder, Encoder, makeRecordBuilder, Timestamp } from "@frazil/core"
import { describe, expect, it } from "vitest"
import { type MaintenanceRun, MaintenanceRuns } from "../src/index.ts"

const run: MaintenanceRun = {
  table: "transactions.raw",
  action: "compact",
  dry_run: false,
  started_at: Timestamp.make(1_768_434_300_000),
  finished_at: Timestamp.make(1_768_434_360_000),
  files_before: 120,
  files_after: 3,
  bytes_before: 400_000_000,
  bytes_after: 390_000_000,
  conflicts: 1,
  snapshot_id: "8744736658442914487",
  error: null
}

describe("maintenance runs", () => {
  it("decode to what was encoded, keyed by their table", () => {
    const builder = makeRecordBuilder()
    builder.addText(Encoder.make(MaintenanceRuns)(run), run.table)
    const packed = builder.take()
    const batch = { ...packed, offsets: new Float64Array(1), timestamps: new Float64Array(1) }
    const decoder = Decoder.make(MaintenanceRuns)
    const decoded = decoder.decode(batch)
    expect(decoded.failures).toEqual([])
    expect(decoder.record(decoded, 0)).toEqual(run)
    expect(MaintenanceRuns.key).toEqual(["table"])
  })
})
