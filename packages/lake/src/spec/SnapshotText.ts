/**
 * Snapshots, and the logs of a table's metadata, as they stand in its text: in the order of fields and without spaces, as Java
 * and this library print them (`TextList.ts`). What is printed otherwise is read as JSON.
 */
import { readLong, readObject, readSafeInteger, readString, type Read } from "./JsonRead.ts"
import { snapshotFromJson, type Snapshot } from "./Snapshot.ts"
import type { MetadataLogEntry, SnapshotLogEntry } from "./TableMetadata.ts"
import { digits15, digits9, digitsLong, memberForm, plainString } from "./TextList.ts"

const sequenceNumberKey = '"sequence-number":'
export const snapshotIdKey = '"snapshot-id":'

/** What is asked of every snapshot of a table that is read. */
export interface SnapshotNote {
  /** Its id's digits. */
  readonly id: string
  readonly sequenceNumber: number | bigint
}

const snapshotPattern =
  `\\{(?:${sequenceNumberKey}${digits15},)?${snapshotIdKey}${digitsLong},(?:"parent-snapshot-id":${digitsLong},)?` +
  `"timestamp-ms":${digits15},"summary":(\\{${plainString}:${plainString}(?:,${plainString}:${plainString})*\\}),` +
  `"manifest-list":(${plainString})(?:,"schema-id":${digits9})?` +
  `(?:,"first-row-id":${digitsLong})?(?:,"added-rows":${digitsLong})?\\}`

const longOf = (digits: string | undefined): bigint => BigInt(digits ?? 0)

/** Its values are strings: the pattern says so. */
const summaryOf = (text: string): Map<string, string> => {
  const object: Readonly<Record<string, string>> = JSON.parse(text)
  return new Map(Object.entries(object))
}

const decodeSnapshot = (found: RegExpExecArray): Snapshot => {
  const [
    ,
    sequenceNumber,
    id,
    parentId,
    timestampMs,
    summaryText = "{}",
    list = '""',
    schemaId,
    firstRowId,
    addedRows
  ] = found
  const summary = summaryOf(summaryText)
  const operation = summary.get("operation") ?? "append"
  summary.delete("operation")
  return {
    snapshotId: longOf(id),
    parentSnapshotId: parentId === undefined ? null : BigInt(parentId),
    sequenceNumber: longOf(sequenceNumber),
    timestampMs: Number(timestampMs),
    manifestList: list.slice(1, -1),
    operation,
    summary,
    schemaId: schemaId === undefined ? null : Number(schemaId),
    ...(firstRowId === undefined ? {} : { firstRowId: BigInt(firstRowId) }),
    ...(addedRows === undefined ? {} : { addedRows: BigInt(addedRows) })
  }
}

/** Of text that matches: its first members are where the pattern has them. */
const snapshotNoteAt = (text: string, at: number): SnapshotNote => {
  let from = at + 1
  let sequenceNumber = 0
  if (text.startsWith(sequenceNumberKey, from)) {
    const end = text.indexOf(",", from)
    sequenceNumber = Number(text.slice(from + sequenceNumberKey.length, end))
    from = end + 1
  }
  return { id: text.slice(from + snapshotIdKey.length, text.indexOf(",", from)), sequenceNumber }
}

export const snapshotForm = memberForm<Snapshot, SnapshotNote>(snapshotPattern, {
  decode: decodeSnapshot,
  noteAt: snapshotNoteAt,
  read: snapshotFromJson,
  noteOf: ({ sequenceNumber, snapshotId }) => ({ id: String(snapshotId), sequenceNumber })
})

const readSnapshotLogEntry: Read<SnapshotLogEntry> = (value, where) => {
  const object = readObject(value, where)
  return {
    timestampMs: readSafeInteger(object["timestamp-ms"], `${where}.timestamp-ms`),
    snapshotId: readLong(object["snapshot-id"], `${where}.snapshot-id`)
  }
}

const snapshotLogPattern = `\\{"timestamp-ms":${digits15},"snapshot-id":${digitsLong}\\}`

export const snapshotLogForm = memberForm<SnapshotLogEntry, true>(snapshotLogPattern, {
  decode: ([, timestampMs, id]) => ({ timestampMs: Number(timestampMs), snapshotId: longOf(id) }),
  noteAt: () => true,
  read: readSnapshotLogEntry,
  noteOf: () => true
})

const readMetadataLogEntry: Read<MetadataLogEntry> = (value, where) => {
  const object = readObject(value, where)
  return {
    timestampMs: readSafeInteger(object["timestamp-ms"], `${where}.timestamp-ms`),
    metadataFile: readString(object["metadata-file"], `${where}.metadata-file`)
  }
}

const metadataLogPattern = `\\{"timestamp-ms":${digits15},"metadata-file":(${plainString})\\}`

export const metadataLogForm = memberForm<MetadataLogEntry, true>(metadataLogPattern, {
  decode: ([, timestampMs, file = '""']) => ({ timestampMs: Number(timestampMs), metadataFile: file.slice(1, -1) }),
  noteAt: () => true,
  read: readMetadataLogEntry,
  noteOf: () => true
})
