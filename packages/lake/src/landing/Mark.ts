/**
 * Marks: how far a topic's partition has landed in a table. The landing's only state, kept in the table itself.
 *
 * A mark is a table property `frazil.mark.<uid>.<branch>.<partition>`, moved by the very swap that adds the rows, and
 * repeated in that snapshot's summary (protocol, rules 13 to 15).
 */
import { createHash } from "node:crypto"
import type { RecordBatch } from "@frazil/core"
import { Option, Schema } from "effect"

export interface Mark {
  readonly topicId: string
  /** The next offset to land. */
  readonly next: number
  /** Of the record at `next` − 1, so that another log with the same offsets is noticed; empty when nothing landed yet. */
  readonly fingerprint: string
}

/** Marks by partition. */
export type Marks = ReadonlyMap<number, Mark>

const MarkText = Schema.fromJsonString(
  Schema.Struct({ topic: Schema.String, next: Schema.Int, fingerprint: Schema.String })
)
const decode = Schema.decodeUnknownOption(MarkText)
const encode = Schema.encodeSync(MarkText)

const prefixOf = (uid: string, branch: string) => `frazil.mark.${uid}.${branch}.`

/** The marks among a table's properties or a snapshot's summary; undefined when one of them cannot be read. */
export const readMarks = (uid: string, branch: string, properties: ReadonlyMap<string, string>): Marks | undefined => {
  const prefix = prefixOf(uid, branch)
  const marks = new Map<number, Mark>()
  for (const [name, text] of properties) {
    if (!name.startsWith(prefix)) continue
    const partition = name.slice(prefix.length)
    const mark = Option.getOrUndefined(decode(text))
    if (mark === undefined || !/^[0-9]+$/.test(partition)) return undefined
    marks.set(Number(partition), { topicId: mark.topic, next: mark.next, fingerprint: mark.fingerprint })
  }
  return marks
}

/** Marks as properties, or as entries of a summary. */
export const writeMarks = (uid: string, branch: string, marks: Marks): ReadonlyMap<string, string> =>
  new Map(
    [...marks].map(([partition, mark]) => [
      `${prefixOf(uid, branch)}${partition}`,
      encode({ topic: mark.topicId, next: mark.next, fingerprint: mark.fingerprint })
    ])
  )

export const sameMarks = (a: Marks, b: Marks): boolean =>
  a.size === b.size &&
  [...a].every(([partition, mark]) => {
    const other = b.get(partition)
    return (
      other !== undefined &&
      other.topicId === mark.topicId &&
      other.next === mark.next &&
      other.fingerprint === mark.fingerprint
    )
  })

/** The fingerprint of one record: of its key and value. */
export const fingerprintOf = (batch: RecordBatch, row: number): string => {
  const hash = createHash("sha256")
  const keyStart = batch.keyStarts[row]!
  hash.update(keyStart < 0 ? "-" : `${batch.keyEnds[row]! - keyStart}:`)
  if (keyStart >= 0) hash.update(batch.bytes.subarray(keyStart, batch.keyEnds[row]!))
  hash.update(batch.bytes.subarray(batch.valueStarts[row]!, batch.valueEnds[row]!))
  return hash.digest("hex").slice(0, 32)
}
