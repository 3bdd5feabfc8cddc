import { assert, it } from "@effect/vitest"
import { huntRetention } from "../../src/mutants/RetentionHunter.ts"

it("retention removes what every reader has read, and nothing else, in 100 orders of events", () => {
  for (let seed = 1; seed <= 100; seed++) assert.isUndefined(huntRetention(seed), `seed ${seed}`)
})
