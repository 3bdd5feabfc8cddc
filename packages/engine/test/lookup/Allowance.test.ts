/** What the other side allows is found without being told: at least 95 % of it is used in the steady phase, and few calls are wasted. */
import { assert, describe, it } from "@effect/vitest"
import { askFor, limited, queueing, refusing } from "../support/OtherSide.ts"

const policy = { capacity: 100, order: "unordered" } as const

describe("a lookup that has more to ask than it may", () => {
  it("keeps as many calls in flight as the other side takes, which refuses the others", () => {
    for (const calls of [1, 7, 40]) {
      const found = askFor(
        policy,
        refusing(() => calls, calls),
        5000,
        15_000
      )
      assert.isAtLeast(found.used, 0.95, `${calls} calls`)
      assert.isAtMost(found.callsPerAnswer, 1.2, `${calls} calls`)
      assert.strictEqual(found.limit, calls)
    }
  })

  it("finds it again when the other side takes more, or less", () => {
    const more = askFor(
      policy,
      refusing((nowMs) => (nowMs < 5000 ? 5 : 50), 3),
      25_000,
      30_000
    )
    assert.isAtLeast(more.used, 0.95)
    const less = askFor(
      policy,
      refusing((nowMs) => (nowMs < 5000 ? 50 : 5), 4),
      10_000,
      20_000
    )
    assert.isAtLeast(less.used, 0.95)
    assert.isAtMost(less.callsPerAnswer, 1.1)
  })

  it("keeps an other side busy that lets calls wait", () => {
    const found = askFor(policy, queueing(20, 5), 3000, 10_000)
    assert.isAtLeast(found.used, 0.95)
  })

  it("makes as many calls a second as the other side takes, which asks those beyond to come back later", () => {
    const found = askFor(policy, limited(100, 100, 6), 10_000, 25_000)
    assert.isAtLeast(found.used, 0.95)
    assert.isAtMost(found.callsPerAnswer, 1.05)
  })
})
