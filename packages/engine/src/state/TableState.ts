/**
 * A table as one shard knows it: what is taken of the latest record of each key, with what changed since the last epoch.
 *
 * The shard's `TableReader` writes it, the stage's joins read it; epochs take its delta, snapshots capture it. It forgets a
 * key when the table deletes it and never else. **Bounds**: the keys of the table's partition.
 */
import type { AnyRecord } from "../flow/Node.ts"
import { decodeRecord, encodeRecord } from "../lookup/RecordText.ts"
import { plainJson } from "./PlainJson.ts"
import { inPieces } from "./Capture.ts"
import type { OperatorState } from "./OperatorState.ts"

/** A delta, or a piece of a snapshot. */
interface EncodedTable {
  readonly fields: ReadonlyArray<string>
  /** What was there before means nothing: the table is read from its first record on. */
  readonly anew?: true
  /** Null: the key was deleted. */
  readonly rows: ReadonlyArray<readonly [key: string, row: unknown]>
}

export interface TableState extends OperatorState {
  /** The fields that are taken of the key's latest record, absent ones null; undefined when there is none. */
  readonly get: (key: unknown) => AnyRecord | undefined
  readonly set: (key: string, record: AnyRecord) => void
  readonly delete: (key: string) => void
  /** Whether what was loaded has every field that is taken now. */
  readonly complete: () => boolean
  /** Forgets everything: the table is read from its first record on. */
  readonly beginAnew: () => void
}

/** The name that the state of a table is found again by; several joins with the table share it. */
export const tableStateName = (topic: string): string => `table(${topic})`

export const makeTableState = (name: string, fields: ReadonlyArray<string>): TableState => {
  const rows = new Map<string, AnyRecord>()
  const changed = new Set<string>()
  let since = new Set<string>()
  let complete = true
  let anew = false
  // null, not undefined: a field may be named as an accessor that every object inherits
  const taken = (record: AnyRecord): AnyRecord =>
    Object.fromEntries(fields.map((field) => [field, (Object.hasOwn(record, field) ? record[field] : null) ?? null]))
  const encodeRow = (key: string) => {
    const row = rows.get(key)
    return [key, row === undefined ? null : encodeRecord(row)] as const
  }
  return {
    name,
    get: (key) => (key === null || key === undefined ? undefined : rows.get(String(key))),
    set: (key, record) => {
      rows.set(key, taken(record))
      changed.add(key)
    },
    delete: (key) => {
      rows.delete(key)
      changed.add(key)
    },
    complete: () => complete,
    beginAnew: () => {
      rows.clear()
      changed.clear()
      complete = true
      anew = true
    },
    takeDelta: (): EncodedTable => {
      const delta = Array.from(changed, encodeRow)
      const begun = anew
      for (const key of changed) since.add(key)
      changed.clear()
      anew = false
      return { fields, ...(begun ? { anew: true } : {}), rows: delta }
    },
    capture: (kind) => {
      const listed = since
      since = new Set()
      const keys = kind === "base" ? rows : listed
      return inPieces(keys.keys(), keys.size, (some): EncodedTable => ({ fields, rows: some.map(encodeRow) }))
    },
    load: (entries) => {
      const loaded = entries as EncodedTable // made by takeDelta or a capture above
      if (loaded.anew === true) {
        rows.clear()
        complete = true
      }
      // an older version of the job took less
      if (!fields.every((field) => loaded.fields.includes(field))) complete = false
      for (const [key, row] of loaded.rows) {
        if (row === null) rows.delete(key)
        else rows.set(key, taken(decodeRecord(row)))
      }
    },
    size: () => rows.size,
    read: (key) => {
      const row = rows.get(key)
      return row === undefined ? undefined : { values: plainJson(row) }
    }
  }
}
