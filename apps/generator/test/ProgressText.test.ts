import { assert, describe, it } from "@effect/vitest"
import type { GeneratorProgress } from "@frazil/sim"
import { progressLine, stateLine, summaryLine } from "../src/ProgressText.ts"

const calm: GeneratorProgress = {
  generated: 12_340,
  labelled: 370,
  withheld: 0,
  full: false,
  rate: 1_000,
  delivered: 12_300,
  buffered: 40,
  state: "delivering",
  failures: 0,
  problem: undefined,
  nextAttemptMs: undefined
}
const problem = "log.db is locked by another process"
const retrying: GeneratorProgress = { ...calm, state: "retrying", failures: 1, problem }
const paused: GeneratorProgress = { ...calm, state: "paused", failures: 10, problem, nextAttemptMs: 9_000 }
const full: GeneratorProgress = { ...paused, full: true, buffered: 10_000 }

describe("ProgressText", () => {
  it("the live line has the rate since the last one and counts that add up", () => {
    assert.strictEqual(
      progressLine(calm, { ...calm, generated: 11_340 }, 1_000, "labelled as fraud"),
      "1,000/s of 1,000  12,340 generated  12,300 delivered  370 labelled as fraud  40 waiting"
    )
    assert.notInclude(progressLine({ ...calm, buffered: 0 }, undefined, 1_000, "labelled as fraud"), "waiting")
  })

  it("says each change of state once", () => {
    assert.strictEqual(stateLine(calm, undefined, 0), undefined)
    assert.strictEqual(stateLine(retrying, retrying, 0), undefined)
    assert.strictEqual(stateLine(retrying, calm, 0), `delivery fails and is tried again, 40 events wait: ${problem}`)
    assert.strictEqual(
      stateLine(paused, retrying, 5_000),
      `delivery pauses after 10 failures, next attempt in 4 s, 40 events wait: ${problem}`
    )
    assert.strictEqual(
      stateLine(full, paused, 0),
      "the buffer is full, 10,000 events wait: nothing is generated until the log takes some"
    )
    assert.strictEqual(stateLine(calm, full, 0), "delivery works again")
  })

  it("the summary tells what was not delivered or not generated", () => {
    assert.strictEqual(
      summaryLine({ ...calm, generated: 5, delivered: 5, buffered: 0, labelled: 0 }, "labelled as fraud"),
      "5 generated, 5 delivered, 0 labelled as fraud"
    )
    assert.strictEqual(
      summaryLine({ ...full, withheld: 7 }, "labelled as fraud"),
      "12,340 generated, 12,300 delivered, 370 labelled as fraud; 10,000 NOT delivered: the log took no more in time; 7 not generated for lack of room or time; 10 deliveries failed and were repeated"
    )
  })
})
