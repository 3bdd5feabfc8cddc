/** Parts of a lookup's bounds add up to what is declared, and none is nothing. */
import { assert, describe, it } from "vitest"
import { askPolicy } from "../../src/lookup/LookupPolicy.ts"
import { policyPart } from "../../src/lookup/PolicyPart.ts"
import { makeChance } from "../support/Chance.ts"

describe("policyPart", () => {
  it("divides capacity, calls at once, calls a second and answers kept (300 seeds)", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const chance = makeChance(seed)
      const of = 1 + chance.below(8)
      const fixed = chance.once(2)
      const max = of + chance.below(60)
      const capacity = max + chance.below(900)
      const policy = askPolicy({
        capacity,
        concurrency: fixed ? max : { max, initial: 1 + chance.below(max) },
        rate: { callsPerSecond: 1 + chance.below(1000), burst: of + chance.below(9) },
        cache: { entriesMax: of + chance.below(100), ttl: "1 minute" }
      })
      const parts = Array.from({ length: of }, (_, index) => policyPart(policy, { index, of }))
      const sum = (value: (part: (typeof parts)[number]) => number) => parts.reduce((all, part) => all + value(part), 0)
      assert.strictEqual(
        sum((part) => part.capacity),
        policy.capacity
      )
      assert.strictEqual(
        sum((part) => part.concurrency.max),
        policy.concurrency.max
      )
      assert.strictEqual(
        sum((part) => part.cache!.entriesMax),
        policy.cache!.entriesMax
      )
      assert.approximately(
        sum((part) => part.rate!.callsPerSecond),
        policy.rate!.callsPerSecond,
        1e-6
      )
      assert.approximately(
        sum((part) => part.rate!.burst),
        policy.rate!.burst,
        1e-6
      )
      for (const { capacity: room, concurrency, rate } of parts) {
        assert.isAtLeast(room, 1)
        assert.isAtLeast(concurrency.min, 1)
        assert.isAtLeast(concurrency.initial, concurrency.min)
        assert.isAtLeast(concurrency.max, concurrency.initial)
        assert.isAtLeast(rate!.burst, 1)
        if (fixed) assert.strictEqual(concurrency.min, concurrency.max)
      }
    }
  })
})
