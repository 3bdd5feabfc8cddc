/**
 * The tables of a log file, and the check that a file is one.
 *
 * Called when a log is opened. A new file gets the tables; a file of another program, or of a newer frazil, is refused.
 */
import { crc32 } from "node:zlib"
import { LogError } from "@frazil/engine"
import type { Database } from "./Database.ts"

/** "FRZL": how a file says that it is ours. */
const applicationId = 0x46525a4c
const schemaVersion = 1

const tables = `
create table log (id text not null, created_at integer not null, checksum integer not null) strict;
create table topic (
  number integer primary key autoincrement, name text not null unique, partitions integer not null,
  created_at integer not null, checksum integer not null
) strict;
create table removed_topic (number integer primary key) strict;
create table partition (
  topic integer not null, partition integer not null, start_offset integer not null, end_offset integer not null,
  appended_at integer not null, checksum integer not null, primary key (topic, partition)
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
create table producer (
  name text primary key, epoch integer not null, next_sequence integer not null, results text not null, checksum integer not null
) strict;
`

/** Tables whose loss would not be noticed by the records' own checksums; small, so that each opening can check them. */
const checkedTables = ["log", "topic", "partition", "shard", "producer"]

/** The checksum of a small row: over its values, in an order that the caller fixes. */
export const valuesChecksum = (...values: ReadonlyArray<string | number>): number => crc32(JSON.stringify(values))

/** `Corrupt`, about the file as a whole or a part of it. */
export const damaged = (db: Database, what: string): LogError =>
  new LogError({
    reason: "Corrupt",
    message: `${db.file} is damaged: ${what}: restore it from a backup, or move it away to start with an empty log`
  })

const pragma = (db: Database, name: string): number => {
  const row = db.first<Record<string, number>>(`pragma ${name}`)
  return row?.[name] ?? 0
}

const schemaText = (db: Database): string =>
  JSON.stringify(db.all<{ readonly sql: string }>("select type, name, tbl_name, sql from sqlite_schema order by name"))

/** Whether the file has no table yet. */
export const blank = (db: Database): boolean =>
  db.first("select name from sqlite_schema limit 1") === undefined && pragma(db, "application_id") === 0

/** Makes the tables; inside a transaction, since two processes may open a new file at once. */
export const createTables = (db: Database, logId: string, nowMs: number): void => {
  if (!blank(db)) return
  db.exec(tables)
  db.run("insert into log values (?, ?, ?)", logId, nowMs, valuesChecksum(logId, nowMs, schemaText(db)))
  db.exec(`pragma application_id = ${applicationId}`)
  db.exec(`pragma user_version = ${schemaVersion}`)
}

/** Throws when the file is another program's, or of another version. Changes nothing. */
export const checkVersion = (db: Database): void => {
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
}

interface LogRow {
  readonly id: string
  readonly created_at: number
  readonly checksum: number
}

/** The log's id; throws `Corrupt` when the file is not a log that this version reads, or its small tables are damaged. */
export const verifyTables = (db: Database): string => {
  checkVersion(db)
  const schema = schemaText(db)
  const named = new Set(db.all<{ readonly name: string }>("select name from sqlite_schema").map(({ name }) => name))
  if (!checkedTables.every((table) => named.has(table))) throw damaged(db, "its tables are not those of a log")
  const log = db.first<LogRow>("select id, created_at, checksum from log")
  if (log === undefined || valuesChecksum(log.id, log.created_at, schema) !== log.checksum) {
    throw damaged(db, "its log id or its tables do not match their checksum")
  }
  for (const table of checkedTables) {
    const [found] = db.all<{ readonly integrity_check: string }>(`pragma integrity_check(${table})`)
    if (found?.integrity_check !== "ok") throw damaged(db, `table ${table} contradicts itself`)
  }
  return log.id
}
