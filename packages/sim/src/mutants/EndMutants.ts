/** Mistakes about where an input ends that is complete: what was committed before somebody said so is still to be read. */
import type { Mutant } from "./Mutants.ts"

const runLanding = "packages/lake/src/landing/RunLanding.ts"

export const endMutants: ReadonlyArray<Mutant> = [
  {
    rule: "mistake",
    name: "a landing asks whether its input is complete after it read",
    file: runLanding,
    find: "else if (complete && !open) return { marks, records, skipped, complete } satisfies Reading",
    replace: "else if (yield* run.inputComplete(topic.name)) return { marks, records, skipped, complete: true }",
    hunter: "transactions"
  },
  {
    rule: "mistake",
    name: "a landing ends where nothing stood a moment ago",
    file: runLanding,
    find: "{ ...readLimits, now: complete }",
    replace: "readLimits",
    hunter: "transactions"
  }
]
