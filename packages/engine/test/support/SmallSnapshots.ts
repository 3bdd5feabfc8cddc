// Snapshots of few entries that take many turns and have many parts, as those of a million keys do.
import type { Job } from "../../src/index.ts"

export const smallSnapshots: Job.SnapshotBounds = {
  sliceMs: 1_000,
  sliceEntriesMax: 1,
  pieceEntriesMax: 1,
  partBytesMax: 100,
  wholeBytesMax: 0,
  incrementsMax: 3
}
