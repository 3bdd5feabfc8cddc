/**
 * For how long each job's state has changed without a snapshot of it, by what jobs commit.
 *
 * `SystemReadings` takes a look every second or so. An age begins with the look that first sees a change after the newest
 * snapshot. It grows while epochs go by, or while there is something to read and none does; it stands still in a job that
 * has nothing to do, whose next epoch brings the snapshot, and while a lookup waits for its service.
 */
import type { Job } from "@frazil/engine"

type Stage = Pick<Job.StageProgress, "job" | "topic" | "shards" | "lag" | "finished">

interface Seen {
  /** Of the newest snapshot; -1 before the first. */
  readonly snapshot: number
  readonly epoch: number
  readonly ageMs: number
  readonly atMs: number
}

export interface CheckpointAges {
  /** By job: the oldest change of its shards. `waiting`: jobs whose lookups wait for their services. */
  readonly look: (
    stages: ReadonlyArray<Stage>,
    waiting: ReadonlySet<string>,
    nowMs: number
  ) => ReadonlyMap<string, number>
}

export const makeCheckpointAges = (): CheckpointAges => {
  const seen = new Map<string, Seen>()
  const ageOf = (stage: Stage, shard: Stage["shards"][number], waits: boolean, nowMs: number): number => {
    const key = `${stage.job}/${stage.topic}/${shard.partition}`
    const snapshot = shard.snapshots[0] ?? -1
    const before = seen.get(key)
    // the commit that names a snapshot is the epoch after it
    const written = shard.epoch <= snapshot + 1
    const anew = written || before === undefined || before.snapshot !== snapshot
    const goesOn = !anew && (shard.epoch > before.epoch || (stage.lag > 0 && !waits))
    const ageMs = anew ? 0 : before.ageMs + (goesOn ? nowMs - before.atMs : 0)
    seen.set(key, { snapshot, epoch: shard.epoch, ageMs, atMs: nowMs })
    return ageMs
  }
  return {
    look: (stages, waiting, nowMs) => {
      const ages = new Map<string, number>()
      for (const stage of stages) {
        // null: the stage keeps no state
        for (const shard of stage.shards.filter(({ detail }) => detail.deltasFrom !== null)) {
          const age = ageOf(stage, shard, waiting.has(stage.job), nowMs)
          ages.set(stage.job, Math.max(stage.finished ? 0 : age, ages.get(stage.job) ?? 0))
        }
      }
      return ages
    }
  }
}
