/** Mistakes in control totals: what is counted twice, forgotten or lost over epochs, restarts and shards. */
import type { Mutant } from "./Mutants.ts"

const file = "packages/engine/src/run/ControlTotals.ts"

const mistakes: ReadonlyArray<Omit<Mutant, "rule" | "hunter" | "file">> = [
  {
    name: "a control total counts what is committed again",
    find: "for (const total of context.totals) total.clear()",
    replace: ""
  },
  {
    name: "a control total is that of its last epoch",
    find: "addTotals(detail.counts.totals, running.length",
    replace: "addTotals(undefined, running.length"
  },
  {
    name: "a control total loses its sum when epochs are added up",
    find: "unscaledText(at(one) + at(other), scale)",
    replace: "unscaledText(at(other), scale)"
  },
  {
    name: "a control total counts records and adds no field",
    find: "else add(value)",
    replace: "else count()",
    also: { find: "if (Number.isSafeInteger(sum)) safe = sum", replace: "if (Number.isSafeInteger(sum)) safe += 0" }
  }
]

export const totalMutants: ReadonlyArray<Mutant> = mistakes.map((mistake) => ({
  rule: "control totals",
  hunter: "stored",
  file,
  ...mistake
}))
