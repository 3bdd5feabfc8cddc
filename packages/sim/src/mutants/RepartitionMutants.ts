/** Mistakes in repartitions: the oracle of merged clicks, a restart, or what the world watches notices each. */
import type { Mutant } from "./Mutants.ts"

const lanes = "packages/engine/src/repartition/Lanes.ts"
const writer = "packages/engine/src/repartition/RepartitionWriter.ts"
const compileStageFile = "packages/engine/src/run/CompileStage.ts"
const compileOutputFile = "packages/engine/src/run/CompileOutput.ts"
const takeCommit = "packages/engine/src/run/TakeCommit.ts"
const stages = "packages/engine/src/plan/Stages.ts"
const trimInternal = "packages/engine/src/run/TrimInternal.ts"
const hunter = "repartition"

export const repartitionMutants: ReadonlyArray<Mutant> = [
  {
    rule: "rule 11",
    name: "behind a repartition nobody waits for a writer that has said nothing",
    file: lanes,
    find: "isEmpty(lane) && !lane.parked && (lane.idle || lane.ended)",
    replace: "isEmpty(lane) && !lane.parked",
    hunter
  },
  {
    rule: "rule 11",
    name: "before a repartition what a filter drops does not move time",
    file: compileStageFile,
    find: "const after = `if (${keep}) ${follow}`",
    replace: "const after = `if (${keep}) { ${consumersCode(emitter, operator, place)} } else continue;`",
    hunter
  },
  {
    rule: "rule 11",
    name: "before a repartition a record is stamped with its own time",
    file: compileOutputFile,
    find: "Math.max(before, Math.min(eventTime, clock))",
    replace: "Math.max(before, eventTime - 5000)",
    hunter
  },
  {
    rule: "rule 19",
    name: "before a repartition lateness does not hold time back",
    file: writer,
    find: "Math.min(watermark, inFlight()) - heldMs",
    replace: "Math.min(watermark, inFlight())",
    hunter
  },
  {
    rule: "rule 19",
    name: "the result of a window lies in the next one behind a repartition",
    file: stages,
    find: "export const resultShiftMs = 1",
    replace: "export const resultShiftMs = 0",
    hunter
  },
  {
    rule: "rule 20",
    name: "behind a repartition records are taken as they come",
    file: lanes,
    find: "if (second >= 0 && (stamp > other || (stamp === other && first > second))) break",
    replace: "",
    hunter
  },
  {
    rule: "rule 20",
    name: "behind a repartition records of one watermark are taken as they come",
    file: lanes,
    find: "stamp === other && first > second",
    replace: "stamp > other",
    hunter
  },
  {
    rule: "rule 3",
    name: "after a restart a repartition reads what it has taken",
    file: lanes,
    find: "readTo: next,",
    replace: "readTo: start,",
    hunter
  },
  {
    rule: "rule 3",
    name: "after a restart a repartition has forgotten what waited",
    file: lanes,
    find: "Math.min(least, lane.line[lane.head]?.offset ?? lane.readTo)",
    replace: "Math.min(least, lane.readTo)",
    hunter
  },
  {
    rule: "mistake",
    name: "after a restart nobody knows that a writer of a repartition has ended",
    file: lanes,
    find: "silent && lane.ended ? 1 : 0",
    replace: "0",
    hunter
  },
  {
    rule: "rule 16",
    name: "records of a repartition go from the log before they are committed",
    file: trimInternal,
    find: "yield* log.trim(topic, shard.id.shard, shard.committedOffset)",
    replace: "yield* log.trim(topic, shard.id.shard, shard.offset)",
    also: { find: "nowMs - trimmedAtMs < trimEveryMs", replace: "nowMs < trimmedAtMs" },
    hunter
  },
  {
    rule: "rule 4",
    name: "who misses records of a repartition does not ask whether it is still the owner",
    file: "packages/engine/src/run/Task.ts",
    find: 'reason === "OffsetOutOfRange" && plan.writers !== undefined',
    replace: 'reason === "OffsetOutOfRange" && plan.writers === undefined',
    hunter
  },
  {
    rule: "mistake",
    name: "behind a repartition the ledger names another partition",
    file: compileOutputFile,
    find: "context.placeBase + (i < 0",
    replace: "(i < 0",
    hunter
  },
  {
    rule: "mistake",
    name: "a repartition is trimmed by what was read, not by what was given",
    file: takeCommit,
    find: "shard.committedOffset = positionOf(shard)",
    replace: "shard.committedOffset = shard.offset",
    also: { file: trimInternal, find: "nowMs - trimmedAtMs < trimEveryMs", replace: "nowMs < trimmedAtMs" },
    hunter
  }
]
