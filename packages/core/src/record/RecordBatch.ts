/**
 * Records as a log holds them: values, keys and positions, nothing decoded yet.
 *
 * A log's `read` makes them, producers and epochs append them, the decoder turns them into columns. All values and
 * keys are byte ranges of one buffer, so a batch costs a handful of arrays whatever its size.
 */

/** Small text pairs beside a record, as Kafka has them. */
export type RecordHeaders = Readonly<Record<string, string>>

/** Records without positions: what is appended. */
export interface PackedRecords {
  readonly length: number
  /** Holds every value and key. Never changed after the batch was made. */
  readonly bytes: Uint8Array
  readonly valueStarts: Int32Array
  readonly valueEnds: Int32Array
  /** −1 where a record has no key. */
  readonly keyStarts: Int32Array
  readonly keyEnds: Int32Array
  /** By row; most records have none. */
  readonly headers: ReadonlyMap<number, RecordHeaders>
}

/** Records with positions: what is read. */
export interface RecordBatch extends PackedRecords {
  /** Position in the partition; ascending, not always contiguous. */
  readonly offsets: Float64Array
  /** When the record was appended, epoch milliseconds. */
  readonly timestamps: Float64Array
}
