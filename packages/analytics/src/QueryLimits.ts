/** What one query may take. Pure. */

export interface QueryLimits {
  /** Of the answer. */
  readonly rowsMax: number
  /** Of the answer, encoded. */
  readonly bytesMax: number
  /** From the start of running to the last byte taken: a reader that stops reading uses it up. */
  readonly timeoutMs: number
  /** DuckDB's own memory; beyond it, it spills. The process around it is ended a good bit above. */
  readonly memoryBytesMax: number
}

export const limitsDefault: QueryLimits = {
  rowsMax: 1_000_000,
  bytesMax: 256 * 1024 * 1024,
  timeoutMs: 30_000,
  memoryBytesMax: 256 * 1024 * 1024
}

/** What whoever asks may raise them to. */
export const limitsHighest: QueryLimits = {
  rowsMax: 100_000_000,
  bytesMax: 16 * 1024 * 1024 * 1024,
  timeoutMs: 600_000,
  memoryBytesMax: 1024 * 1024 * 1024
}
