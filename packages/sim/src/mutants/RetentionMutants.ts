/** Rules of retention taken out: `RetentionHunter` notices each. */
import type { Mutant } from "./Mutants.ts"

const file = "packages/engine/src/run/Retention.ts"

export const retentionMutants: ReadonlyArray<Mutant> = [
  {
    rule: "rule 16",
    name: "retention removes past the slowest reader",
    file,
    find: "Math.min(old, end, boundOf(partition, positions))",
    replace: "Math.min(old, end)",
    hunter: "retention"
  },
  {
    rule: "rule 16",
    name: "retention waits for the fastest reader",
    file,
    find: "let bound = Number.POSITIVE_INFINITY\n  for (const own of positions.values()) bound = Math.min(",
    replace: "let bound = 0\n  for (const own of positions.values()) bound = Math.max(",
    hunter: "retention"
  },
  {
    rule: "rule 16",
    name: "retention does not wait for a reader that never committed",
    file,
    find: "own.get(partition) ?? 0)",
    replace: "own.get(partition) ?? bound)",
    hunter: "retention"
  },
  {
    rule: "rule 16",
    name: "a landing's positions are taken for one partition's",
    file,
    find: "own.set(isJob(shard) ? shard.shard : index,",
    replace: "own.set(shard.shard,",
    hunter: "retention"
  },
  {
    rule: "rule 16",
    name: "a position in another topic of the name counts",
    file,
    find: "topicId === topic.id ? needed : 0",
    replace: "topicId === topic.id ? needed : needed",
    hunter: "retention"
  },
  {
    rule: "rule 13",
    name: "retention removes the record before a mark",
    file,
    find: "Math.max(0, offset - 1)",
    replace: "offset",
    hunter: "retention"
  }
]
