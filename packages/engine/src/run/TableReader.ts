/**
 * Reads one partition of a table into a shard's state, ahead of the source.
 *
 * The task gives it batches; its records are not counted among the source's. What does not decode is dead-lettered under
 * the table's own topic and position.
 */
import { type ColumnBatch, type DecodeFailure, Decoder, type RecordBatch, type Topic } from "@frazil/core"
import type { AnyRecord } from "../flow/Node.ts"
import type { PlannedTable } from "../plan/StagePlan.ts"
import type { TableState } from "../state/TableState.ts"

export interface TableReader {
  /** The topic's name. */
  readonly topic: string
  readonly state: TableState
  /** The next offset to read. */
  offset: number
  /** Records of the open epoch, and those of them that did not decode. */
  taken: number
  deadLettered: number
  readonly process: (records: RecordBatch) => void
}

const text = new TextDecoder()

/** A record with a key and without a value deletes the key. */
const isTombstone = ({ keyStarts, valueEnds, valueStarts }: RecordBatch, row: number): boolean =>
  valueStarts[row] === valueEnds[row] && keyStarts[row]! >= 0

export const makeTableReader = (
  { topic }: PlannedTable,
  state: TableState,
  offset: number,
  letter: (batch: ColumnBatch, failure: DecodeFailure) => void
): TableReader => {
  const decoder = Decoder.make(topic as unknown as Topic<AnyRecord>) // a table's record type is known to its flow only
  const key = topic.key[0]! // a table has one key field
  const reader: TableReader = {
    topic: topic.name,
    state,
    offset,
    taken: 0,
    deadLettered: 0,
    process: (records) => {
      const batch = decoder.decode(records)
      for (const failure of batch.failures) {
        if (isTombstone(records, failure.row)) continue
        letter(batch, failure)
        reader.deadLettered++
      }
      for (let row = 0; row < records.length; row++) {
        if (isTombstone(records, row)) {
          state.delete(text.decode(records.bytes.subarray(records.keyStarts[row], records.keyEnds[row])))
        } else if (batch.valid[row] !== 0) {
          const record = decoder.record(batch, row)
          state.set(String(record[key]), record)
        }
      }
      reader.offset = records.offsets[records.length - 1]! + 1
      reader.taken += records.length
    }
  }
  return reader
}
