import { assert, describe, it } from "@effect/vitest"
import { damageCases } from "../../src/damage/DamageCases.ts"

describe("damage to what was finished: a clear stop or an older copy, never a fresh start, never fewer rows", () => {
  for (const { name, run } of damageCases) {
    it(name, () => assert.isUndefined(run()))
  }
})
