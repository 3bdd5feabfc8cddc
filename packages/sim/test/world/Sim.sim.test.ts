import { assert, describe, it } from "@effect/vitest"
import { simulatedJobs } from "../../src/jobs/Jobs.ts"

const seeds = Array.from({ length: 12 }, (_, index) => index + 1)

describe("the simulated world", () => {
  for (const [name, simulate] of Object.entries(simulatedJobs)) {
    it(`keeps every promise of ${name} in ${seeds.length} seeds of faults`, () => {
      const kinds = new Set<string>()
      for (const seed of seeds) {
        const report = simulate({ seed })
        assert.deepStrictEqual(report.violations, [], `bun run sim --job ${name} --seed ${seed} --trace`)
        for (const { kind } of report.injected) kinds.add(kind)
      }
      assert.isAbove(kinds.size, 8, "these seeds bring hardly any faults")
    })

    it(`replays ${name} event by event from its seed`, () => {
      for (const seed of [3, 4]) {
        const first = simulate({ seed, trace: true })
        const second = simulate({ seed, trace: true })
        assert.deepStrictEqual(second.trace, first.trace)
        assert.strictEqual(second.traceHash, first.traceHash)
        assert.notStrictEqual(simulate({ seed: seed + 100 }).traceHash, first.traceHash)
      }
    })
  }

  it("replays a run by the list of its faults", () => {
    for (const seed of [5, 6]) {
      const drawn = simulatedJobs["accounts"]!({ seed })
      const listed = simulatedJobs["accounts"]!({ seed, faults: drawn.injected })
      assert.strictEqual(listed.traceHash, drawn.traceHash)
    }
  })
})
