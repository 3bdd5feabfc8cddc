/**
 * Landing marks as the history of a table carries them (protocol, rule 15). Pure.
 *
 * A compaction repeats them in its snapshot, from the nearest ancestor and never from the properties: a mark that somebody
 * edited stays visible. Expiry keeps the line down to the ancestors that carry them.
 */
import { ancestorsOf, type TableMetadata } from "../spec/TableMetadata.ts"
import type { StringMap } from "../spec/JsonRead.ts"

/** Begins the name of every landing's marks (`landing/Mark.ts`). */
const markPrefix = "frazil.mark."

export interface CarriedMarks {
  /** By name, each as the nearest ancestor of the head of `main` has it. */
  readonly marks: StringMap
  /** Ancestors, the head included, from the head down to the last that was needed; 0 without marks. */
  readonly depth: number
}

export const carriedMarks = (metadata: TableMetadata): CarriedMarks => {
  const wanted = new Set(Array.from(metadata.properties.keys()).filter((name) => name.startsWith(markPrefix)))
  const marks = new Map<string, string>()
  let depth = 0
  let at = 0
  for (const { summary } of ancestorsOf(metadata, metadata.currentSnapshotId)) {
    at++
    for (const name of wanted) {
      const mark = summary.get(name)
      if (mark === undefined) continue
      marks.set(name, mark)
      wanted.delete(name)
      depth = at
    }
    if (wanted.size === 0) break
  }
  return { marks, depth }
}
