/**
 * What must hold of a log after every act, whoever did it: positions, watermarks, epochs, deltas and named snapshots.
 */
import { createHash } from "node:crypto"
import type { EpochCommit, RecordInForce, ShardCommit, SnapshotName } from "@frazil/engine"
import { type KeptShard, type LogState, shardName } from "../log/LogState.ts"
import type { StorageState } from "../lake/StorageState.ts"
import type { HighestTime } from "./HighestTimes.ts"
import type { ShardTotal } from "../Scenario.ts"

/** What is read of a shard's detail; other stages (landings, feeds) have others. */
interface Detail {
  readonly maxEventTime?: number | null
  readonly counts?: {
    readonly in: number
    readonly out: Readonly<Record<string, number>>
    readonly deadLettered: number
    readonly totals?: Readonly<Record<string, ShardTotal>>
    readonly tables?: Readonly<Record<string, { readonly deadLettered: number }>>
  }
  /** Behind a repartition. */
  readonly lanes?: ReadonlyArray<unknown>
}

export const checkpointsRoot = "file:///checkpoints/"
const snapshotsMax = 3

const offsetOf = (record: Pick<RecordInForce, "positions"> | undefined, index: number): number =>
  record?.positions[index]?.offset ?? 0

/** A file of a snapshot, as whoever names it says. */
interface NamedFile {
  readonly file: string
  readonly sha256: string
}

/** The named file of a snapshot and, if it is a list, the parts. */
export const filesOf = (storage: StorageState, snapshot: SnapshotName): ReadonlyArray<NamedFile> => {
  const bytes = storage.bytesOf(checkpointsRoot + snapshot.file)
  if (snapshot.list !== true || bytes === undefined) return [snapshot]
  const { parts }: { readonly parts: ReadonlyArray<NamedFile> } = JSON.parse(new TextDecoder().decode(bytes))
  return [snapshot, ...parts]
}

/** Watches a log; `violated` is told what broke, at once. */
export const watchLog = (
  log: LogState,
  storage: StorageState,
  highestAt: HighestTime,
  violated: (what: string) => void
): void => {
  /** A snapshot is looked at when it is named: what happens to the file later is nobody's fault here. */
  const checkNamed = (name: string, commit: ShardCommit, before: RecordInForce | undefined) => {
    if (commit.snapshots.length > snapshotsMax) violated(`${name}: ${commit.snapshots.length} snapshots are named`)
    for (const snapshot of commit.snapshots) {
      if (before?.snapshots.some(({ file }) => file === snapshot.file) === true) continue
      for (const { file, sha256 } of filesOf(storage, snapshot)) {
        const bytes = storage.bytesOf(checkpointsRoot + file)
        const hash = bytes === undefined ? undefined : createHash("sha256").update(bytes).digest("hex")
        if (hash !== sha256) {
          const what = bytes === undefined ? "not there" : "not whole"
          violated(`${name}: snapshot ${snapshot.epoch} is named and ${file} is ${what}`)
        }
      }
      if (snapshot.epoch > commit.epochRead) violated(`${name}: snapshot ${snapshot.epoch} is named before its epoch`)
    }
  }

  const checkDeltas = ({ deltas, id, record }: KeptShard) => {
    // without keyed state there are no deltas
    if (record === undefined || deltas.size === 0) return
    const from = record.snapshots.length < snapshotsMax ? 0 : record.snapshots[snapshotsMax - 1]!.epoch
    for (let epoch = from + 1; epoch <= record.epoch; epoch++) {
      if (!deltas.has(epoch)) violated(`${shardName(id)}: the delta of epoch ${epoch} is gone, and was still needed`)
    }
  }

  /** Stamped per record, before filters: what a position stands for says how far time has come (protocol, rule 11). */
  const checkTime = (name: string, { id, positions }: ShardCommit, { maxEventTime = null }: Detail) => {
    const [position] = positions
    const highest = position === undefined ? undefined : highestAt(position.topic, id.shard, position.offset)
    if (highest === undefined || highest === maxEventTime) return
    violated(`${name}: its highest event time is ${maxEventTime}, the records before its position say ${highest}`)
  }

  const checkProgress = (name: string, commit: ShardCommit, before: RecordInForce | undefined) => {
    for (const [index, position] of commit.positions.entries()) {
      const was = offsetOf(before, index)
      const topic = log.topics.get(position.topic)
      const end = Math.max(0, ...(topic?.partitions.map((partition) => partition.end) ?? []))
      if (position.offset < was) violated(`${name}: its position went back from ${was} to ${position.offset}`)
      if (position.offset > end) violated(`${name}: its position ${position.offset} is beyond the log's end`)
    }
    // written by tasks as ShardDetail, by landings as LandingDetail
    const detail = commit.detail as Detail | null
    const was = before?.detail as Detail | null | undefined
    const time = detail?.maxEventTime ?? Number.NEGATIVE_INFINITY
    if (time < (was?.maxEventTime ?? Number.NEGATIVE_INFINITY)) violated(`${name}: its watermark went back`)
    if (detail?.counts === undefined) return
    checkTime(name, commit, detail)
    const read = detail.counts.in - (was?.counts?.in ?? 0)
    const moved = offsetOf(commit, 0) - offsetOf(before, 0)
    // records of an internal topic are taken in another order, and some tell time only: `checkCounts` adds up
    if (detail.lanes === undefined && read !== moved)
      violated(`${name}: ${read} records are counted, but its position moved by ${moved}`)
  }

  log.observer = {
    committed: (epoch: EpochCommit, before) => {
      for (const [index, commit] of epoch.shards.entries()) {
        const name = shardName(commit.id)
        checkProgress(name, commit, before[index])
        checkNamed(name, commit, before[index])
        checkDeltas(log.shards.get(name)!)
      }
    },
    deltasDropped: checkDeltas,
    trimmed: (topic, partition, offset) => {
      for (const { id, record } of log.shards.values()) {
        const position = id.shard === partition ? record?.positions.find((each) => each.topic === topic) : undefined
        if (position !== undefined && position.offset < offset) {
          violated(
            `${topic}/${partition}: records from ${position.offset} on were removed before ${shardName(id)} read them`
          )
        }
      }
    }
  }
}

/** Names of the files of all snapshots in force. */
export const snapshotsInForce = (log: LogState, storage: StorageState): ReadonlySet<string> =>
  new Set(
    [...log.shards.values()].flatMap(
      ({ record }) => record?.snapshots.flatMap((each) => filesOf(storage, each).map(({ file }) => file)) ?? []
    )
  )

/** A control total of each shard that has one. */
export const totalsOf = (log: LogState, uid: string, name: string): ReadonlyArray<ShardTotal> =>
  [...log.shards.values()].flatMap(({ id, record }) => {
    const total = id.uid === uid ? (record?.detail as Detail | undefined)?.counts?.totals?.[name] : undefined // written by tasks
    return total === undefined ? [] : [total]
  })

/** At the end of a run: what shards counted is what the topics hold, and each record that does not decode has a letter. */
export const checkCounts = (
  log: LogState,
  uid: string,
  deadLetterTopic: string,
  undecodable: number,
  violated: (what: string) => void
): void => {
  const counted = new Map<string, number>()
  const taken = new Map<string, number>()
  for (const { id, record } of log.shards.values()) {
    if (id.uid !== uid || record === undefined) continue
    const { counts, lanes } = record.detail as Detail // written by tasks
    if (lanes !== undefined) taken.set(id.stage, (taken.get(id.stage) ?? 0) + (counts?.in ?? 0))
    for (const [topic, count] of Object.entries(counts?.out ?? {}))
      counted.set(topic, (counted.get(topic) ?? 0) + count)
    const ofTables = Object.values(counts?.tables ?? {}).reduce((sum, { deadLettered }) => sum + deadLettered, 0)
    counted.set(deadLetterTopic, (counted.get(deadLetterTopic) ?? 0) + (counts?.deadLettered ?? 0) + ofTables)
  }
  for (const [topic, count] of taken) {
    const written = counted.get(topic) ?? 0
    if (written !== count) violated(`${count} records of ${topic} were taken in, but ${written} were written`)
    counted.delete(topic)
  }
  for (const [topic, count] of counted) {
    const kept = (log.topics.get(topic)?.partitions ?? []).reduce((sum, { end }) => sum + end, 0)
    if (kept !== count) violated(`topic ${topic} has ${kept} records, but ${count} were counted`)
  }
  const letters = counted.get(deadLetterTopic) ?? 0
  if (letters < undecodable) violated(`${undecodable} records do not decode, but only ${letters} letters say so`)
}
