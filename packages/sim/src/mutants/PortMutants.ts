/** Mistakes in joins of several topics: the oracle of joins, or a restart, notices each. */
import type { Mutant } from "./Mutants.ts"

const compileStageFile = "packages/engine/src/run/CompileStage.ts"
const join = "packages/engine/src/join/Join.ts"
const lanes = "packages/engine/src/repartition/Lanes.ts"
const hunter = "exchange"
const rule = "ports"

export const portMutants: ReadonlyArray<Mutant> = [
  {
    rule,
    name: "behind a repartition every record is read as the first side's",
    file: lanes,
    find: "portOf[envelope.input] ?? 0",
    replace: "portOf[0] ?? 0",
    hunter
  },
  {
    rule,
    name: "what a join holds is read back as the first side's",
    file: "packages/engine/src/join/JoinCodec.ts",
    find: "port: Math.floor(flags / portUnit)",
    replace: "port: 0 * Math.floor(flags / portUnit)",
    hunter
  },
  {
    rule,
    name: "records of two sides do not take turns",
    file: lanes,
    find: "if (run?.port === port) run.to++",
    replace: "const same = runs.find((each) => each.port === port)\n      if (same !== undefined) same.to++",
    hunter
  },
  {
    rule,
    name: "bytes of one batch are kept for records of the next one",
    file: "packages/engine/src/state/ByteStore.ts",
    find: "if (this.of !== bytes) {",
    replace: "if (this.of === undefined) {",
    hunter
  },
  {
    rule: "rule 19",
    name: "the results of a join do not hold time back by its lateness",
    file: join,
    find: "return allowedLatenessMs + Math.max(0, spec.upperMs, -spec.lowerMs)",
    replace: "return Math.max(0, spec.upperMs, -spec.lowerMs)",
    hunter
  },
  {
    rule: "rule 19",
    name: "what a join tells alone does not hold time back by its interval",
    file: join,
    find: "return allowedLatenessMs + Math.max(0, spec.upperMs, -spec.lowerMs)",
    replace: "return allowedLatenessMs + Math.max(0, -spec.lowerMs)",
    hunter
  },
  {
    rule: "rule 11",
    name: "the results of a join are stamped as though nothing held time back",
    file: compileStageFile,
    find: "clock = before = to + ${behindMs};",
    replace: "clock = before = to + 2 * ${behindMs};",
    hunter
  },
  {
    rule,
    name: "two sides of a join share a topic, but not its partitions",
    file: "packages/engine/src/plan/InternalTopics.ts",
    find: "partitions: partitionsOf(graph, together)",
    replace: "partitions: partitionsOf(graph, together.slice(0, 0).concat(cut))",
    hunter
  }
]
