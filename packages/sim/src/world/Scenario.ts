/**
 * What is simulated: a job, what it reads, where its topics land, and how it is run.
 */
import type { Topic } from "@frazil/core"
import { type DeadLetters, Job, type Ledger } from "@frazil/engine"
import type { Landing } from "@frazil/lake"
import type { Context } from "effect"
import type { Random } from "../generate/Random.ts"
import type { KeptRecord } from "./log/KeptRecord.ts"

/** The records of one topic: JSON texts, appended in this order by a producer that may crash and resend. */
export interface SimInput {
  readonly topic: Topic<never>
  readonly records: (random: Random) => ReadonlyArray<string>
  /** All of it is there before the job starts, as a table must be for which the moment of a change makes a difference. */
  readonly present?: boolean
  /** Of a table: texts of which only the key is written, to delete it. */
  readonly deletes?: (record: string) => boolean
}

/** How often epochs, snapshots and swaps come; drawn from the seed, small, so that a short run has many. */
export interface Rhythm {
  readonly epochMs: number
  readonly epochRecords: number
  readonly checkpointEveryMs: number
  readonly commitEveryMs: number
  readonly snapshot: Job.SnapshotBounds
}

/** The records of a topic by partition, as they lie in the log when a run has ended. */
export type KeptTopics = (topic: string) => ReadonlyArray<ReadonlyArray<KeptRecord>>

/** How upkeep goes; drawn likewise. */
export interface UpkeepRhythm {
  /** Two get into each other's way; 0: nobody tidies up. */
  readonly processes: number
  /** Actions of one process. */
  readonly rounds: number
  readonly pauseMsMax: number
  readonly retention: { readonly snapshotAgeMsMax: number; readonly snapshotsKeptMin: number }
}

export interface Scenario<R = never> {
  readonly job: Job.Job<string, R>
  readonly input: ReadonlyArray<SimInput>
  /** Tables that the job's topics land in. */
  readonly landings: ReadonlyArray<Landing>
  readonly deadLetters: DeadLetters["Service"]
  readonly ledger: Ledger["Service"]
  /** What the job needs besides. */
  readonly services: Context.Context<R>
  /** Fields that hold the time of writing, or a position in a topic that jobs write: not compared between runs. */
  readonly volatileFields: ReadonlyArray<string>
  /** Topics whose records differ between runs that are equally right, since they go by the clock. */
  readonly volatileTopics: ReadonlyArray<string>
  /** What else must hold in the end: says what does not. */
  readonly check: Check
}

/** A control total as one shard committed it. */
export interface ShardTotal {
  readonly records: number
  readonly sum: string | null
}

/** By the names of control totals, one of each shard. */
export type KeptTotals = (name: string) => ReadonlyArray<ShardTotal>

export type Check = (topics: KeptTopics, totals: KeptTotals) => ReadonlyArray<string>

const choose = (random: Random, choices: ReadonlyArray<number>): number => choices[random.below(choices.length)]!

export const drawRhythm = (random: Random): Rhythm => ({
  epochMs: choose(random, [10, 50, 200, 1_000]),
  epochRecords: choose(random, [3, 10, 40, 50_000]),
  checkpointEveryMs: choose(random, [0, 0, 100, 1_000, 30_000]),
  commitEveryMs: choose(random, [30, 300, 2_000, 10_000]),
  snapshot: choose(random, [0, 1, 1]) === 0 ? Job.snapshotBounds : drawBounds(random)
})

/** Snapshots that take many turns, in many parts, and are whole ones now and then. */
const drawBounds = (random: Random): Job.SnapshotBounds => ({
  sliceMs: 1_000,
  sliceEntriesMax: choose(random, [1, 3]),
  pieceEntriesMax: choose(random, [1, 3]),
  partBytesMax: choose(random, [100, 1_000]),
  wholeBytesMax: 0,
  incrementsMax: choose(random, [1, 3, 20])
})

export const drawUpkeep = (random: Random): UpkeepRhythm => ({
  processes: choose(random, [0, 1, 2, 2]),
  rounds: choose(random, [6, 16]),
  pauseMsMax: choose(random, [5, 50, 500]),
  retention: {
    snapshotAgeMsMax: choose(random, [0, 0, 500]),
    snapshotsKeptMin: choose(random, [1, 1, 3])
  }
})

/** Input as producers without manners send it: some records twice, some late, some out of order. */
export const disorder = (records: ReadonlyArray<string>, random: Random): ReadonlyArray<string> => {
  const out: Array<string> = []
  const twiceOneIn = choose(random, [0, 20, 5])
  const windowMax = choose(random, [1, 1, 8, 60])
  for (const record of records) {
    out.push(record)
    if (twiceOneIn > 0 && random.below(twiceOneIn) === 0) out.push(record)
  }
  for (let at = 0; at + windowMax <= out.length && windowMax > 1; at++) {
    const other = at + random.below(windowMax)
    const held = out[at]!
    out[at] = out[other]!
    out[other] = held
  }
  return out
}
