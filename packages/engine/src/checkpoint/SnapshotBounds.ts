/** What a snapshot may cost: how long a slice of it takes, how large its parts are, how many increments follow a base. */
export interface SnapshotBounds {
  /** Between two batches, at most so long, and so many entries, goes into a snapshot. */
  readonly sliceMs: number
  readonly sliceEntriesMax: number
  /** Entries between two looks at the clock. */
  readonly pieceEntriesMax: number
  /** A part ends behind the piece that makes it so large. */
  readonly partBytesMax: number
  /** State that fits this is written whole each time, so that every snapshot stands by itself. */
  readonly wholeBytesMax: number
  /** A base is written anew when so many increments follow the last one, or together have as many bytes. */
  readonly incrementsMax: number
}

export const snapshotBounds: SnapshotBounds = {
  sliceMs: 8,
  sliceEntriesMax: 16_384,
  pieceEntriesMax: 256,
  partBytesMax: 4 * 1_048_576,
  wholeBytesMax: 262_144,
  incrementsMax: 20
}
