/**
 * One epoch's commit, and what may be dropped after it.
 *
 * The task calls it when an epoch is due, when snapshots wait to be named, and at the end of a bounded input.
 */
import { faultPoint } from "@frazil/core"
import { Effect } from "effect"
import { CheckpointStore } from "../checkpoint/CheckpointStore.ts"
import { snapshotsKept } from "../checkpoint/Snapshot.ts"
import { Log, type ShardCommit, type TopicInfo } from "../log/Log.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import { type Shard, tablesPending, takeCommit, timeMoved } from "./Shard.ts"
import { sameTopic } from "./SourceTopic.ts"

export interface Committer {
  readonly plan: StagePlan
  /** The source and the plan's tables as they were when the task started: what the epoch was read from. */
  readonly topics: ReadonlyArray<TopicInfo>
  readonly owner: string
}

/**
 * **The commit point of a log stage**: a shard's outputs, delta, positions and named snapshots in one act of the log. Shards
 * without anything to say are left out unless they `finished`. After any failure their memory means nothing.
 */
export const commitEpoch = Effect.fnUntraced(function* (
  { plan, topics, owner }: Committer,
  shards: ReadonlyArray<Shard>,
  finished: boolean
) {
  const log = yield* Log
  // asked after the epoch was read: ids are never used twice, so all of it came from these topics
  for (const { id, name, partitions } of topics)
    yield* sameTopic(plan.uid, { topic: name, topicId: id, partitions }, yield* log.topic(name))
  const commits: Array<ShardCommit> = []
  const taking = shards.filter(
    // a partition that fell idle brings no record that would commit it (rule 11)
    (shard) =>
      finished ||
      shard.pending > 0 ||
      shard.answered > 0 ||
      tablesPending(shard) > 0 ||
      shard.unnamed !== undefined ||
      timeMoved(shard)
  )
  for (const shard of taking) {
    commits.push(takeCommit(shard, plan, topics, finished))
  }
  yield* faultPoint("before-epoch-commit")
  yield* log.commit({ owner, shards: commits })
  yield* faultPoint("after-epoch-commit")
  for (const [index, shard] of taking.entries()) {
    const commit = commits[index]!
    const named = shard.unnamed !== undefined
    const displaced = named ? shard.snapshots[snapshotsKept - 1] : undefined
    shard.epoch = commit.epochRead + 1
    shard.snapshots = commit.snapshots
    shard.unnamed = undefined
    if (named) yield* dropSuperseded(owner, shard, displaced?.file)
  }
})

/** After a commit that named a snapshot: what lies below the oldest named one may go (rules 1, 2 and 6). */
const dropSuperseded = Effect.fnUntraced(function* (owner: string, shard: Shard, displacedFile: string | undefined) {
  const oldest = shard.snapshots[snapshotsKept - 1]
  if (oldest === undefined) return
  const log = yield* Log
  yield* faultPoint("before-delta-drop")
  yield* log.dropDeltas(owner, shard.id, oldest.epoch)
  if (displacedFile === undefined) return
  const store = yield* CheckpointStore
  yield* faultPoint("snapshot-delete")
  yield* store.remove(displacedFile)
})
