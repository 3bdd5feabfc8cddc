/**
 * A table as one shard knows it: what is taken of the latest record of each key, with what changed since the last epoch.
 *
 * The shard's `TableReader` writes it, the stage's joins read it; epochs take its delta, snapshots capture it. It forgets a
 * key when the table deletes it and never else. **Bounds**: the keys of the table's partition, in memory or on disk
 * (`TableRows.ts`).
 */
import type { AnyRecord } from "../flow/Node.ts"
import { decodeRecord } from "../lookup/RecordText.ts"
import type { PlannedTable } from "../plan/StagePlan.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { plainJson } from "./PlainJson.ts"
import type { OperatorState } from "./OperatorState.ts"
import { type EncodedRow, makeTableRows } from "./TableRows.ts"

/** A delta, or a piece of a snapshot. */
interface EncodedTable {
  readonly fields: ReadonlyArray<string>
  /** What was there before means nothing: the table is read from its first record on. */
  readonly anew?: true
  readonly rows: ReadonlyArray<EncodedRow>
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

/** `open` makes the store of a table that is on disk; without it, it is in memory whatever is declared. */
export const makeTableState = (
  { fields, name, store }: Pick<PlannedTable, "fields" | "name" | "store">,
  open?: OpenStore
): TableState => {
  const rows = makeTableRows(name, store, open)
  const changed = new Set<string>()
  let complete = true
  let anew = false
  // null, not undefined: a field may be named as an accessor that every object inherits
  const taken = (record: AnyRecord): AnyRecord =>
    Object.fromEntries(fields.map((field) => [field, (Object.hasOwn(record, field) ? record[field] : null) ?? null]))
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
      const delta = rows.tell(changed)
      const begun = anew
      changed.clear()
      anew = false
      return { fields, ...(begun ? { anew: true } : {}), rows: delta }
    },
    capture: (kind) => rows.capture(kind, (some): EncodedTable => ({ fields, rows: some })),
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
    entriesOf: (entries, key): EncodedTable => {
      const loaded = entries as EncodedTable // as in load
      return { ...loaded, rows: loaded.rows.filter(([of]) => of === key) }
    },
    size: rows.size,
    ...(rows.stored === undefined ? {} : { stored: rows.stored }),
    ...(rows.discard === undefined ? {} : { discard: rows.discard }),
    read: (key) => {
      const row = rows.get(key)
      return row === undefined ? undefined : { values: plainJson(row) }
    }
  }
}
