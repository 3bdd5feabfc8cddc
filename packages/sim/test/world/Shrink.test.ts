import { assert, describe, it } from "@effect/vitest"
import type { Fault } from "../../src/world/Fault.ts"
import { shrink } from "../../src/world/Shrink.ts"
import type { SimReport } from "../../src/world/Sim.ts"

const fault = (at: number): Fault => ({ at, kind: "kept", amountMs: 0 })

const reportOf = (injected: ReadonlyArray<Fault>, records: number, failed: boolean): SimReport => ({
  seed: 1,
  violations: failed ? ["broken"] : [],
  injected,
  traceHash: "",
  trace: [],
  steps: 0,
  operations: [],
  processes: 0,
  records,
  rows: 0
})

describe("shrinking a failing run", () => {
  it("keeps the faults and records that it needs to fail, and no others", () => {
    const failing = reportOf(
      [1, 2, 3, 4, 5, 6, 7].map((at) => fault(at)),
      100,
      true
    )
    const shrunk = shrink(failing, (faults, recordsMax) => {
      const has = (at: number) => faults.some((each) => each.at === at)
      return reportOf(faults, recordsMax, has(2) && has(6) && recordsMax >= 12)
    })
    assert.deepStrictEqual(shrunk?.faults, [fault(2), fault(6)])
    assert.strictEqual(shrunk?.recordsMax, 12)
  })

  it("says when the list of faults alone does not make it fail", () => {
    assert.isUndefined(shrink(reportOf([fault(1)], 10, true), (faults) => reportOf(faults, 10, false)))
  })
})
