/**
 * Idempotent producers of an embedded log: which sequence number comes next, and what the last batches got.
 *
 * Called by `EmbeddedLog`, inside `LogFile`'s transactions. **Guarantee**: a batch is appended once however often it is
 * sent; only the last opener of a name appends.
 */
import { type Append, type Appended, LogError } from "@frazil/engine"
import { appendRecords } from "./BatchTable.ts"
import type { Database } from "./Database.ts"
import { damaged, valuesChecksum } from "./LogSchema.ts"

/** How many batches back a resend is still answered with where it landed. */
const resultsMax = 5

interface ProducerRow {
  readonly epoch: number
  readonly next_sequence: number
  /** JSON: the results of the last batches, oldest first. */
  readonly results: string
  readonly checksum: number
}

/** One opening of a producer. */
export interface OpenedProducer {
  readonly name: string
  readonly epoch: number
  readonly nextSequence: number
}

const rowChecksum = (name: string, row: Omit<ProducerRow, "checksum">): number =>
  valuesChecksum(name, row.epoch, row.next_sequence, row.results)

const findProducer = (db: Database, name: string): ProducerRow | undefined => {
  const row = db.first<ProducerRow>("select epoch, next_sequence, results, checksum from producer where name = ?", name)
  if (row === undefined || rowChecksum(name, row) === row.checksum) return row
  throw damaged(db, `producer ${name} does not match its checksum`)
}

const writeProducer = (db: Database, name: string, row: Omit<ProducerRow, "checksum">): void => {
  db.run(
    "insert or replace into producer values (?, ?, ?, ?, ?)",
    name,
    row.epoch,
    row.next_sequence,
    row.results,
    rowChecksum(name, row)
  )
}

/** Opens the producer; whoever opened it before is fenced. */
export const openProducer = (db: Database, name: string): OpenedProducer => {
  const before = findProducer(db, name) ?? { epoch: 0, next_sequence: 0, results: "[]" }
  const epoch = before.epoch + 1
  writeProducer(db, name, { ...before, epoch })
  return { name, epoch, nextSequence: before.next_sequence }
}

/** Appends the batches of `sequence`, or says again where they landed. */
export const appendSequence = (
  db: Database,
  opened: OpenedProducer,
  sequence: number,
  batches: ReadonlyArray<Append>,
  recordBytesMax: number,
  nowMs: number
): ReadonlyArray<Appended> => {
  const row = findProducer(db, opened.name)
  if (row === undefined || row.epoch !== opened.epoch) {
    throw new LogError({
      reason: "Fenced",
      message: `producer ${opened.name} was opened by another process: this one must stop`
    })
  }
  // the cast: written below, in the same transaction as the records that it tells of
  const results = JSON.parse(row.results) as ReadonlyArray<ReadonlyArray<Appended>>
  const sent = results[results.length - (row.next_sequence - sequence)]
  if (sent !== undefined && sequence < row.next_sequence) return sent
  if (sequence !== row.next_sequence) {
    throw new LogError({
      reason: "SequenceGap",
      message: `producer ${opened.name} sent batch ${sequence}, the log expects ${row.next_sequence} (the last ${resultsMax} may be sent again): open the producer anew and go on from there`
    })
  }
  const appended = batches.map((batch) => appendRecords(db, batch, recordBytesMax, nowMs))
  writeProducer(db, opened.name, {
    epoch: row.epoch,
    next_sequence: sequence + 1,
    results: JSON.stringify([...results, appended].slice(-resultsMax))
  })
  return appended
}
