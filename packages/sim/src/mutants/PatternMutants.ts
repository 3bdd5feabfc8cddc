/** Rules of patterns taken out: the oracle of sequences, or a restart, notices each. */
import type { Mutant } from "./Mutants.ts"

const judge = "packages/engine/src/pattern/Judge.ts"
const afterMatch = "packages/engine/src/pattern/AfterMatch.ts"
const state = "packages/engine/src/pattern/PatternState.ts"
const hunter = "sequences"

export const patternMutants: ReadonlyArray<Mutant> = [
  {
    rule: "rule 20",
    name: "a pattern judges records in the order they come",
    file: "packages/engine/src/pattern/TimeQueue.ts",
    find: "left.time < right.time || (left.time === right.time && left.id < right.id)",
    replace: "left.id < right.id",
    hunter
  },
  {
    rule: "rule 20",
    name: "a pattern takes records that come after their turn",
    file: state,
    find: "if (eventTime < watermark || this.closed)",
    replace: "if (this.closed)",
    hunter
  },
  {
    rule: "pattern",
    name: "next lets records come between",
    file: judge,
    find: "consecutive : strict || (nots",
    replace: "consecutive : (nots",
    hunter
  },
  {
    rule: "pattern",
    name: "what must not follow may",
    file: judge,
    find: "(nots !== 0 && ",
    replace: "(nots < 0 && ",
    hunter
  },
  {
    rule: "pattern",
    name: "what must not come before the end may",
    file: judge,
    find: "partial.pending && !anyHolds(plan, record, plan.trailing, last, read)",
    replace: "partial.pending",
    hunter
  },
  {
    rule: "pattern",
    name: "a record at the end of within is still in time",
    file: state,
    find: "deadline.time <= record.time",
    replace: "deadline.time < record.time",
    hunter
  },
  {
    rule: "pattern",
    name: "a match discards nothing, whatever its strategy",
    file: afterMatch,
    find: "const below = discardedBelow(plan, match)",
    replace: "const below = Math.min(0, discardedBelow(plan, match))",
    hunter
  },
  {
    rule: "pattern",
    name: "a match does not wait for one that began before it",
    file: afterMatch,
    find: "earlier.start.turn < match.start.turn) return",
    replace: "earlier.start.turn < 0) return",
    hunter
  },
  {
    rule: "pattern",
    name: "partial matches of a key have no bound",
    file: state,
    find: "> spec.partialMatchesMax &&",
    replace: "> 1000 * spec.partialMatchesMax &&",
    hunter
  },
  {
    rule: "pattern",
    name: "an evicted partial match is not entered in the ledger",
    file: state,
    find: 'host.enterHeld(start, { operator: name, reason: "evicted", latenessMs: watermark - start.time })',
    replace: "void [start, name, watermark]",
    hunter
  },
  {
    rule: "pattern",
    name: "records that wait are not in the delta",
    file: state,
    find: "return this.encoded(came, changed)",
    replace: "return this.encoded(came.slice(0, 0), changed)",
    hunter
  },
  {
    rule: "pattern",
    name: "partial matches are not in the delta",
    file: state,
    find: "return this.encoded(came, changed)",
    replace: "return this.encoded(came, changed.slice(0, 0))",
    hunter
  },
  {
    rule: "pattern",
    name: "records that had their turn have it again after a restart",
    file: state,
    find: "if (from === null || time < from) this.loaded.delete(id)",
    replace: "if (from === null && time < 0) this.loaded.delete(id)",
    hunter
  },
  {
    rule: "pattern",
    name: "turns begin anew after a restart",
    file: state,
    find: "    this.turns = turns\n",
    replace: "    this.turns = 0 * turns\n",
    hunter
  },
  {
    rule: "pattern",
    name: "what is open at a restart never times out",
    file: state,
    find: "for (const keyed of this.keys.values()) this.schedule(keyed)",
    replace: "",
    hunter
  }
]
