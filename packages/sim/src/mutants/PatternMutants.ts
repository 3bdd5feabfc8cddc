/** Rules of patterns taken out: the oracle of sequences, or a restart, notices each. */
import type { Mutant } from "./Mutants.ts"

const judge = "packages/engine/src/pattern/Judge.ts"
const afterMatch = "packages/engine/src/pattern/AfterMatch.ts"
const state = "packages/engine/src/pattern/PatternState.ts"
const rows = "packages/engine/src/pattern/HeldRows.ts"
const keys = "packages/engine/src/pattern/HeldKeys.ts"
const linked = "packages/engine/src/pattern/LinkedCondition.ts"
const hunter = "sequences"

export const patternMutants: ReadonlyArray<Mutant> = [
  {
    rule: "rule 20",
    name: "a pattern judges records in the order they come",
    file: rows,
    find: "times[left]! < times[right]! || (times[left] === times[right] && ids[left]! < ids[right]!)",
    replace: "ids[left]! < ids[right]!",
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
    name: "a key of records that wait has nothing open, whatever began since they came",
    file: state,
    find: "this.heldKeys.changed(keyed.key, keyed.partials.length > 0)",
    replace: "this.heldKeys.changed(keyed.key, false)",
    hunter
  },
  {
    rule: "pattern",
    name: "a record like one that changed nothing is left out, whatever changed since",
    file: keys,
    find: "if (key === undefined) return\n    this.open[key] = isOpen ? 1 : 0\n    this.unmovedMasks[key] = noMask",
    replace: "if (key === undefined) return\n    this.open[key] = isOpen ? 1 : 0",
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
    find: "deadlineTime <= time",
    replace: "deadlineTime < time",
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
    find: "return this.encoded(came, this.keys.tell(), raw)",
    replace: "return this.encoded(came.slice(0, 0), this.keys.tell(), raw)",
    hunter
  },
  {
    rule: "pattern",
    name: "partial matches are not in the delta",
    file: state,
    find: "return this.encoded(came, this.keys.tell(), raw)",
    replace: "return this.encoded(came, this.keys.tell().slice(0, 0), raw)",
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
    file: "packages/engine/src/pattern/PatternKeys.ts",
    find: "for (const keyed of this.keys.values()) this.schedule(keyed)",
    replace: "",
    hunter
  },
  {
    rule: "pattern",
    name: "a record that waits is in order already, whatever its time",
    file: rows,
    find: "time > this.lastTime || (time === this.lastTime && id > this.lastId)",
    replace: "id > this.lastId",
    hunter
  },
  {
    rule: "rule 15",
    name: "a delta has rows of records that had their turn",
    file: state,
    find: "waiting.idOf(row) === cameFrom + at",
    replace: "waiting.idOf(row) >= -1 - cameFrom - at",
    hunter
  },
  {
    rule: "pattern",
    name: "a condition over earlier steps finds none of their records",
    file: linked,
    find: "return take?.record",
    replace: "return take === undefined ? take : undefined",
    hunter
  }
]
