/**
 * What a generator makes: records as bytes, one after the other, each with the partition that it belongs to.
 *
 * RunGenerator paces a source and sends what it makes. Pure: time is an argument, chance comes from the source's seed.
 */

/** The record made last. One object, reused: valid until the next call of `next`. */
export interface GeneratedRecord {
  /** Holds the JSON text in `[0, length)`. */
  readonly bytes: Uint8Array
  readonly length: number
  /** Where in `bytes` the key stands; −1 when a reader of the record finds none. */
  readonly keyStart: number
  readonly keyEnd: number
  /** The name of what was put into the record for somebody to find, such as a fraud pattern. */
  readonly label: string | undefined
}

export interface RecordSource<R extends GeneratedRecord = GeneratedRecord> {
  /** Makes the next record, arriving at `arrivalMs` (epoch milliseconds, 2000–2089, never less than before). */
  readonly next: (arrivalMs: number) => R
  /** Gives the function that says in which of so many partitions a record belongs. */
  readonly partitioner: (partitions: number) => (record: R) => number
}
