/**
 * Shards of log stages in an embedded log: who owns them, their record in force, and their deltas.
 *
 * Called by `EmbeddedLog`, inside `LogFile`'s transactions. **Guarantee** (protocol, rule 10): a commit moves a shard only
 * from the epoch it was computed from, and only for the owner that took the shard last.
 */
import { crc32 } from "node:zlib"
import {
  type Delta,
  LogError,
  type RecordInForce,
  type ShardCommit,
  type ShardId,
  type SnapshotName,
  type SourcePosition
} from "@frazil/engine"
import type { Database } from "./Database.ts"
import { damaged } from "./LogSchema.ts"

/** Deltas removed by one transaction. */
const dropDeltasMax = 64

interface ShardRow {
  readonly number: number
  readonly owner: string
  readonly epoch: number
  readonly record: string | null
  readonly checksum: number
}

/** What the record's text holds; the epoch has a column of its own. */
interface StoredRecord {
  readonly positions: ReadonlyArray<SourcePosition>
  readonly snapshots: ReadonlyArray<SnapshotName>
  readonly detail?: unknown
}

const nameOf = ({ uid, stage, shard }: ShardId): string => `${uid}/${stage}/${shard}`

const placeChecksum = (id: ShardId, epoch: number): number => crc32(`${nameOf(id)}@${epoch}`)

const findShard = (db: Database, { uid, stage, shard }: ShardId): ShardRow | undefined =>
  db.first<ShardRow>(
    "select number, owner, epoch, record, checksum from shard where uid = ? and stage = ? and shard = ?",
    uid,
    stage,
    shard
  )

const unlike = (db: Database, id: ShardId, what: string): LogError =>
  damaged(db, `${what} of shard ${nameOf(id)} does not match its checksum`)

/** The record in force; undefined when the shard never committed. */
export const recordInForce = (db: Database, id: ShardId): RecordInForce | undefined => {
  const row = findShard(db, id)
  if (row === undefined || (row.record === null && row.epoch === 0)) return undefined
  if (row.record === null) throw unlike(db, id, "the record in force")
  if (crc32(row.record, placeChecksum(id, row.epoch)) !== row.checksum) throw unlike(db, id, "the record in force")
  // the cast: `commitShard` wrote it, and the checksum says that it is unchanged
  const { positions, snapshots, detail } = JSON.parse(row.record) as StoredRecord
  return { epoch: row.epoch, positions, snapshots, detail }
}

/** Makes `owner` the one that may commit. A write in any case: what an earlier commit left undecided is decided by it. */
export const takeShard = (db: Database, owner: string, { uid, stage, shard }: ShardId): void => {
  db.run(
    `insert into shard (uid, stage, shard, owner, fences, epoch, record, checksum) values (?, ?, ?, ?, 1, 0, null, 0)
     on conflict (uid, stage, shard) do update set owner = excluded.owner, fences = fences + 1`,
    uid,
    stage,
    shard,
    owner
  )
}

export const listShards = (db: Database): ReadonlyArray<ShardId> =>
  db
    .all<ShardId>("select uid, stage, shard from shard where epoch > 0 order by uid, stage, shard")
    .map(({ uid, stage, shard }) => ({ uid, stage, shard }))

const fenced = (id: ShardId, row: ShardRow | undefined, owner: string, epochRead: number | undefined): LogError => {
  const why =
    row === undefined
      ? "was never taken"
      : row.owner !== owner
        ? "was taken by another owner"
        : `is at epoch ${row.epoch}, not at ${epochRead}`
  return new LogError({ reason: "Fenced", message: `shard ${nameOf(id)} ${why}: this task must stop` })
}

/** Moves the shard from the epoch read to the next; throws `Fenced` when another did, or took the shard. */
export const commitShard = (db: Database, owner: string, commit: ShardCommit): void => {
  const { id, epochRead, positions, snapshots, detail, delta } = commit
  const epoch = epochRead + 1
  const stored: StoredRecord = { positions, snapshots, detail }
  const record = JSON.stringify(stored)
  const moved = db.run(
    "update shard set epoch = ?, record = ?, checksum = ? where uid = ? and stage = ? and shard = ? and epoch = ? and owner = ?",
    epoch,
    record,
    crc32(record, placeChecksum(id, epoch)),
    id.uid,
    id.stage,
    id.shard,
    epochRead,
    owner
  )
  const row = findShard(db, id)
  if (moved !== 1 || row === undefined) throw fenced(id, row, owner, epochRead)
  if (delta === null) return
  db.run(
    "insert into delta (shard, epoch, checksum, bytes) values (?, ?, ?, ?)",
    row.number,
    epoch,
    crc32(delta, placeChecksum(id, epoch)),
    delta
  )
}

export const listDeltas = (db: Database, id: ShardId, after: number): ReadonlyArray<Delta> => {
  const shard = findShard(db, id)
  if (shard === undefined) return []
  return db
    .all<Delta & { readonly checksum: number }>(
      "select epoch, checksum, bytes from delta where shard = ? and epoch > ? order by epoch",
      shard.number,
      after
    )
    .map(({ epoch, checksum, bytes }) => {
      if (crc32(bytes, placeChecksum(id, epoch)) !== checksum) throw unlike(db, id, `the delta of epoch ${epoch}`)
      return { epoch, bytes }
    })
}

/** Removes some deltas up to `through`; false when none is left. Throws `Fenced` for anyone but the owner. */
export const dropDeltas = (db: Database, owner: string, id: ShardId, through: number): boolean => {
  const shard = findShard(db, id)
  if (shard === undefined || shard.owner !== owner) throw fenced(id, shard, owner, undefined)
  const dropped = db.run(
    "delete from delta where id in (select id from delta where shard = ? and epoch <= ? order by epoch limit ?)",
    shard.number,
    through,
    dropDeltasMax
  )
  return dropped === dropDeltasMax
}
