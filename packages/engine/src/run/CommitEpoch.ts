/**
 * One epoch's commit, and what may be dropped after it.
 *
 * The task calls it when an epoch is due, when snapshots wait to be named, and at the end of a bounded input.
 */
import { faultPoint } from "@frazil/core"
import { Effect } from "effect"
import { CheckpointStore, unlessAway } from "../checkpoint/CheckpointStore.ts"
import { filesOf, snapshotsKept } from "../checkpoint/Snapshot.ts"
import { Log, type ShardCommit, type TopicInfo } from "../log/Log.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import { deltaPlace, StateSealing } from "../state/StateSeal.ts"
import type { Shard } from "./Shard.ts"
import { laneMoved, tablesPending, takeCommit, timeMoved } from "./TakeCommit.ts"
import { sameTopic } from "./SourceTopic.ts"
import { measureStores } from "./StateStores.ts"

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
      shard.fired ||
      tablesPending(shard) > 0 ||
      shard.unnamed !== undefined ||
      timeMoved(shard) ||
      laneMoved(shard)
  )
  const { seal } = yield* StateSealing
  for (const shard of taking) {
    const commit = takeCommit(shard, plan, topics, finished)
    const { delta, epochRead, id } = commit
    commits.push({ ...commit, delta: delta === null ? null : seal(delta, deltaPlace(id, epochRead + 1)) })
  }
  yield* faultPoint("before-epoch-commit")
  yield* log.commit({ owner, shards: commits })
  yield* faultPoint("after-epoch-commit")
  yield* measureStores(plan, shards)
  for (const [index, shard] of taking.entries()) {
    const commit = commits[index]!
    const { unnamed } = shard
    const displaced = shard.snapshots[snapshotsKept - 1]
    shard.epoch = commit.epochRead + 1
    shard.snapshots = commit.snapshots
    if (unnamed === undefined) continue
    shard.unnamed = undefined
    shard.chain = unnamed.chain
    shard.files.set(unnamed.name.file, filesOf(unnamed.name, unnamed.chain.parts))
    yield* dropSuperseded(owner, shard, displaced?.file)
  }
})

/** Files of the displaced snapshot that no named one has. */
const superseded = ({ files, snapshots }: Shard, displacedFile: string): ReadonlyArray<string> => {
  const named = new Set(snapshots.flatMap(({ file }) => [file, ...(files.get(file) ?? [])]))
  // what one that cannot be read lists may be any of them
  const known = snapshots.every(({ file }) => files.has(file))
  const of = known ? (files.get(displacedFile) ?? [displacedFile]) : []
  return of.filter((file) => !named.has(file))
}

/** After a commit that named a snapshot: what lies below the oldest named one may go (rules 1, 2 and 6). */
const dropSuperseded = Effect.fnUntraced(function* (owner: string, shard: Shard, displacedFile: string | undefined) {
  const oldest = shard.snapshots[snapshotsKept - 1]
  if (oldest === undefined) return
  const log = yield* Log
  yield* faultPoint("before-delta-drop")
  yield* log.dropDeltas(owner, shard.id, oldest.epoch)
  if (displacedFile === undefined) return
  const store = yield* CheckpointStore
  const gone = superseded(shard, displacedFile)
  for (const file of gone) {
    yield* faultPoint("snapshot-delete")
    yield* unlessAway(store.remove(file))
  }
  if (!shard.snapshots.some(({ file }) => file === displacedFile)) shard.files.delete(displacedFile)
})
