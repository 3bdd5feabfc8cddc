/**
 * The tables of a log file, and the check that a file is one.
 *
 * Called when a log is opened. A new file gets the tables; a file of another program, or of a newer frazil, is refused.
 */
import { LogError } from "@frazil/engine"
import type { Database } from "./Database.ts"

/** "FRZL": how a file says that it is ours. */
const applicationId = 0x46525a4c
const schemaVersion = 1

const tables = `
create table log (id text not null, created_at integer not null) strict;
create table topic (
  number integer primary key autoincrement, name text not null unique, partitions integer not null, created_at integer not null
) strict;
create table removed_topic (number integer primary key) strict;
create table partition (
  topic integer not null, partition integer not null, start_offset integer not null, end_offset integer not null,
  appended_at integer not null, primary key (topic, partition)
) strict, without rowid;
create table batch (
  id integer primary key, topic integer not null, partition integer not null, base_offset integer not null,
  count integer not null, appended_at integer not null, checksum integer not null, ranges blob not null, bytes blob not null
) strict;
create unique index batch_offset on batch (topic, partition, base_offset, count, appended_at);
create table shard (
  number integer primary key, uid text not null, stage text not null, shard integer not null, owner text not null,
  fences integer not null, epoch integer not null, record text, checksum integer not null, unique (uid, stage, shard)
) strict;
create table delta (
  id integer primary key, shard integer not null, epoch integer not null, checksum integer not null, bytes blob not null,
  unique (shard, epoch)
) strict;
create table producer (name text primary key, epoch integer not null, next_sequence integer not null, results text not null) strict;
create table position (
  group_name text not null, topic text not null, partition integer not null, next_offset integer not null,
  primary key (group_name, topic, partition)
) strict, without rowid;
`

const pragma = (db: Database, name: string): number => {
  const row = db.first<Record<string, number>>(`pragma ${name}`)
  return row?.[name] ?? 0
}

/** Whether the file has no table yet. */
export const blank = (db: Database): boolean =>
  db.first("select name from sqlite_schema limit 1") === undefined && pragma(db, "application_id") === 0

/** Makes the tables; inside a transaction, since two processes may open a new file at once. */
export const createTables = (db: Database, logId: string, nowMs: number): void => {
  if (!blank(db)) return
  db.exec(tables)
  db.run("insert into log (id, created_at) values (?, ?)", logId, nowMs)
  db.exec(`pragma application_id = ${applicationId}`)
  db.exec(`pragma user_version = ${schemaVersion}`)
}

/** The log's id; throws `Corrupt` when the file is not a log that this version reads. */
export const verifyTables = (db: Database): string => {
  if (pragma(db, "application_id") !== applicationId) {
    throw new LogError({
      reason: "Corrupt",
      message: `${db.file} is a database of another program, not a log of frazil: choose another data directory, or move the file away`
    })
  }
  const version = pragma(db, "user_version")
  if (version !== schemaVersion) {
    throw new LogError({
      reason: "Corrupt",
      message: `${db.file} has schema version ${version}, this frazil reads version ${schemaVersion}: use the frazil that wrote it`
    })
  }
  const log = db.first<{ readonly id: string }>("select id from log")
  if (log !== undefined) return log.id
  throw new LogError({ reason: "Corrupt", message: `${db.file} has lost its log id: restore it from a backup` })
}
