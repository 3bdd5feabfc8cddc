/** Rules of joins taken out: the oracle of joins, or a restart, notices each. */
import type { Mutant } from "./Mutants.ts"

const interval = "packages/engine/src/join/IntervalState.ts"
const asOf = "packages/engine/src/join/AsOfState.ts"
const memory = "packages/engine/src/join/JoinMemory.ts"
const latest = "packages/engine/src/join/LatestState.ts"
const tellLatest = "packages/engine/src/join/TellLatest.ts"
const hunter = "market"
const rule = "join"

export const joinMutants: ReadonlyArray<Mutant> = [
  {
    rule,
    name: "an interval join takes records that come late",
    file: interval,
    find: 'if (input.time < horizon || this.closed) return "late"',
    replace: 'if (this.closed) return "late"',
    hunter
  },
  {
    rule,
    name: "the end of a join's interval is not in it",
    file: interval,
    find: "other !== undefined && other.time <= last",
    replace: "other !== undefined && other.time < last",
    hunter
  },
  {
    rule,
    name: "a join's interval lies on the wrong side",
    file: interval,
    find: "const last = side === left ? time + upperMs : time - lowerMs",
    replace: "const last = side === left ? time - lowerMs : time + upperMs",
    hunter
  },
  {
    rule,
    name: "a join says that there is no partner before none can come",
    file: interval,
    find: "?? Number.POSITIVE_INFINITY) + this.waitMs[side]",
    replace: "?? Number.POSITIVE_INFINITY)",
    hunter
  },
  {
    rule,
    name: "a full join tells only what the left side has alone",
    file: "packages/engine/src/join/Join.ts",
    find: 'kind === "full" || (kind === "left" && side === left)',
    replace: 'kind !== "inner" && side === left',
    hunter
  },
  {
    rule,
    name: "what a join found a partner for is not in the delta",
    file: memory,
    find: "this.matched.filter(held)]",
    replace: "this.matched.filter(held).slice(0, 0)]",
    hunter
  },
  {
    rule,
    name: "what a join holds is not in the delta",
    file: memory,
    find: "this.came.filter(held)",
    replace: "this.came.filter(held).slice(0, 0)",
    hunter
  },
  {
    rule,
    name: "what a join held is over once more after a restart",
    file: interval,
    find: "while (this.overAt(side) < horizon) this.forget(this.queues[side].shift()!)",
    replace: "",
    hunter
  },
  {
    rule,
    name: "records that a join holds of a key have no bound",
    file: interval,
    find: "keyed >= recordsPerKeyMax",
    replace: "keyed >= 1000 * recordsPerKeyMax",
    hunter
  },
  {
    rule,
    name: "a join reads another record of its own text",
    file: "packages/engine/src/join/JoinRecord.ts",
    find: "const start = valueStarts[row]!",
    replace: "const start = valueStarts[0]!",
    hunter
  },
  {
    rule,
    name: "an as-of join takes the newest version, whatever its time",
    file: asOf,
    find: "const found = versions?.at(versions.placeAfter(time) - 1)",
    replace: "const found = versions?.at(versions.length() - 1)",
    hunter
  },
  {
    rule,
    name: "an as-of join does not wait for the watermark",
    file: asOf,
    find: "held.time < horizon; held = this.waiting.first()) {",
    replace: "held.time < Infinity; held = this.waiting.first()) {",
    hunter
  },
  {
    rule,
    name: "an as-of join's versions count for ever",
    file: asOf,
    find: "time - found.time >= this.spec.ttlMs",
    replace: "time - found.time >= 1e9 * this.spec.ttlMs",
    hunter
  },
  {
    rule,
    name: "an as-of join forgets the version in force",
    file: asOf,
    find: "keyed.versions.placeAfter(next.time) - 1)",
    replace: "keyed.versions.placeAfter(next.time))",
    hunter
  },
  {
    rule,
    name: "an as-of join leaves out versions that come late",
    file: asOf,
    find: "late && (side === left || !this.counts(key, time, horizon))",
    replace: "late && (side === left || !this.counts(key, time, horizon) || key !== '')",
    hunter
  },
  {
    rule,
    name: "an as-of join takes what its versions delete for a version",
    file: asOf,
    find: "found === undefined || found.deleted ||",
    replace: "found === undefined ||",
    hunter
  },
  {
    rule,
    name: "an as-of join's versions are not in the snapshot",
    file: asOf,
    find: "[...this.waiting.items(), ...versions]",
    replace: "[...this.waiting.items(), ...versions.slice(0, 0)]",
    hunter
  },
  {
    rule,
    name: "a join of tables applies changes as they come",
    file: latest,
    find: "const late = time < horizon",
    replace: "const late = time < horizon || !this.closed",
    hunter
  },
  {
    rule,
    name: "a change that comes late takes the place of a newer row",
    file: latest,
    find: "current !== undefined && current.time > time",
    replace: "current !== undefined && current.time > time + 1e9",
    hunter
  },
  {
    rule,
    name: "a join of tables forgets rows without a word",
    file: tellLatest,
    find: "else if (haveResult(spec, oneBefore, otherBefore))",
    replace: "else if (time < 0 && haveResult(spec, oneBefore, otherBefore))",
    hunter
  },
  {
    rule,
    name: "a join of tables keeps rows for ever",
    file: latest,
    find: "if (next.keyed.scheduledAt === time) this.expire",
    replace: "if (next.keyed.scheduledAt < 0) this.expire",
    hunter
  },
  {
    rule,
    name: "a join's table forgets at once what it deletes",
    file: latest,
    find: "    keyed.rows[side] = row\n",
    replace: "    keyed.rows[side] = row?.deleted === true ? undefined : row\n",
    hunter
  },
  {
    rule,
    name: "rows of a join of tables are not in the snapshot",
    file: latest,
    find: "[...this.waiting.items(), ...rows]",
    replace: "[...this.waiting.items(), ...rows.slice(0, 0)]",
    hunter
  },
  {
    rule,
    name: "rows of a join of tables do not end after a restart",
    file: latest,
    find: "    if (over >= keyed.scheduledAt) return\n",
    replace: "    if (over >= keyed.scheduledAt || held.saved) return\n",
    hunter
  },
  {
    rule,
    name: "expressions over both records ask the left one for all",
    file: "packages/engine/src/join/JoinFields.ts",
    find: 'name === "left" ? ofLeft : ofRight',
    replace: 'name === "" ? ofRight : ofLeft',
    hunter
  }
]
