/** The status of a stage out of those of the threads that run it. */
import { assert, describe, it } from "vitest"
import { Job } from "../../src/index.ts"

const stage = (more: Partial<Job.StageStatus>): Job.StageStatus => ({
  job: "job",
  topic: "topic",
  in: 0,
  out: {},
  validated: 0,
  deadLettered: 0,
  failed: 0,
  late: 0,
  slow: 0,
  totals: {},
  ledger: {},
  tables: {},
  watermarkMs: undefined,
  silent: true,
  positions: new Map(),
  epochs: 0,
  keys: 0,
  lookups: [],
  finished: true,
  problem: undefined,
  ...more
})

describe("mergeStatus", () => {
  it("adds counts up, keeps every position, and is finished when all are", () => {
    const merged = Job.mergeStatus()([
      [
        stage({
          in: 3,
          slow: 1,
          totals: { t: { records: 2, sum: "1.50" } },
          out: { a: 1 },
          ledger: { late: 1 },
          late: 1,
          keys: 2,
          positions: new Map([[0, 5]])
        })
      ],
      [
        stage({
          in: 4,
          slow: 2,
          totals: { t: { records: 1, sum: "0.75" } },
          out: { a: 2, b: 1 },
          ledger: { lead: 2 },
          positions: new Map([[1, 7]]),
          finished: false
        })
      ],
      [stage({ problem: "waits", tables: { t: { in: 1, deadLettered: 0 } } })]
    ])
    assert.deepStrictEqual(merged, [
      stage({
        in: 7,
        slow: 3,
        totals: { t: { records: 3, sum: "2.25" } },
        out: { a: 3, b: 1 },
        ledger: { late: 1, lead: 2 },
        late: 1,
        keys: 2,
        tables: { t: { in: 1, deadLettered: 0 } },
        positions: new Map([
          [0, 5],
          [1, 7]
        ]),
        finished: false,
        problem: "waits"
      })
    ])
  })

  it("has the least watermark of those that are not silent, and never goes back", () => {
    const merge = Job.mergeStatus()
    const watermark = (...marks: ReadonlyArray<readonly [number | undefined, boolean]>) =>
      merge(marks.map(([watermarkMs, silent]) => [stage({ watermarkMs, silent })]))[0]?.watermarkMs
    assert.strictEqual(watermark([undefined, true], [undefined, true]), undefined)
    assert.strictEqual(watermark([10, false], [undefined, true]), 10)
    assert.strictEqual(watermark([30, false], [20, false]), 20)
    assert.strictEqual(watermark([40, false], [20, true]), 40)
    assert.strictEqual(watermark([50, false], [30, false]), 40)
    assert.strictEqual(watermark([60, true], [30, true]), 60)
  })
})
