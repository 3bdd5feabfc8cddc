/**
 * Which snapshots of a table may go (specification, "Snapshot Retention Policy"). Pure, and decided anew on every base.
 *
 * **Guarantees**: what a branch or tag points to stays; of each branch the newest snapshots stay, as many and as young as
 * asked, without gaps; on `main` also the line down to the ancestors that carry the landing's marks (protocol, rule 15).
 */
import { mainBranch, type Snapshot, type SnapshotRef } from "../spec/Snapshot.ts"
import { ancestorsOf, snapshotById, type TableMetadata } from "../spec/TableMetadata.ts"
import { carriedMarks } from "./CarriedMarks.ts"

/** What a branch's own settings do not say; left out: as the table's properties say, else the defaults. */
export interface Retention {
  /** Older snapshots may go. Default 3 days. */
  readonly snapshotAgeMsMax?: number
  /** So many snapshots of each branch stay, however old. Default 10. */
  readonly snapshotsKeptMin?: number
}

export interface ExpiryPlan {
  readonly snapshotIds: ReadonlyArray<bigint>
  /** Branches and tags whose own time is over. */
  readonly refs: ReadonlyArray<string>
}

const snapshotAgeMsDefault = 3 * 86_400_000
const snapshotsKeptDefault = 10

/** Also the largest `long`, which is how others say "for ever". */
const property = (metadata: TableMetadata, name: string): number | undefined => {
  const text = metadata.properties.get(`history.expire.${name}`)?.trim() ?? ""
  return /^\d+$/.test(text) ? Number(text) : undefined
}

/** The retention in force for a table. */
export const retentionOf = (metadata: TableMetadata, asked: Retention): Required<Retention> => ({
  snapshotAgeMsMax: asked.snapshotAgeMsMax ?? property(metadata, "max-snapshot-age-ms") ?? snapshotAgeMsDefault,
  snapshotsKeptMin: Math.max(
    1,
    asked.snapshotsKeptMin ?? property(metadata, "min-snapshots-to-keep") ?? snapshotsKeptDefault
  )
})

const refExpired = (metadata: TableMetadata, name: string, ref: SnapshotRef, nowMs: number): boolean => {
  if (name === mainBranch) return false
  const snapshot = snapshotById(metadata, ref.snapshotId)
  const ageMax = ref.maxRefAgeMs === null ? property(metadata, "max-ref-age-ms") : Number(ref.maxRefAgeMs)
  // one that leads nowhere goes, as with Java
  return snapshot === undefined || (ageMax !== undefined && nowMs - snapshot.timestampMs > ageMax)
}

/** The snapshots of a branch that stay: from its head on, without gaps. */
const keptOfBranch = (
  line: ReadonlyArray<Snapshot>,
  ref: SnapshotRef,
  retention: Required<Retention>,
  depthMin: number,
  nowMs: number
): ReadonlyArray<Snapshot> => {
  const ageMax = ref.maxSnapshotAgeMs === null ? retention.snapshotAgeMsMax : Number(ref.maxSnapshotAgeMs)
  const countMin = Math.max(ref.minSnapshotsToKeep ?? retention.snapshotsKeptMin, depthMin)
  const end = line.findIndex((snapshot, i) => i >= countMin && nowMs - snapshot.timestampMs > ageMax)
  return end < 0 ? line : line.slice(0, end)
}

export const planExpiry = (metadata: TableMetadata, asked: Retention, nowMs: number): ExpiryPlan => {
  const retention = retentionOf(metadata, asked)
  const refs = Array.from(metadata.refs).filter(([name, ref]) => refExpired(metadata, name, ref, nowMs))
  const over = new Set(refs.map(([name]) => name))
  const kept = new Set<bigint>()
  const referenced = new Set<bigint>()
  for (const [name, ref] of metadata.refs) {
    if (over.has(name)) continue
    kept.add(ref.snapshotId)
    referenced.add(ref.snapshotId)
    if (ref.type === "tag") continue
    const line = Array.from(ancestorsOf(metadata, ref.snapshotId))
    const depthMin = name === mainBranch ? carriedMarks(metadata).depth : 0
    for (const snapshot of keptOfBranch(line, ref, retention, depthMin, nowMs)) kept.add(snapshot.snapshotId)
    for (const snapshot of line) referenced.add(snapshot.snapshotId)
  }
  const mayGo = (snapshot: Snapshot): boolean =>
    !kept.has(snapshot.snapshotId) &&
    // what no ref leads to (rolled back, staged) goes by its age alone
    (referenced.has(snapshot.snapshotId) || nowMs - snapshot.timestampMs > retention.snapshotAgeMsMax)
  return { snapshotIds: metadata.snapshots.filter(mayGo).map(({ snapshotId }) => snapshotId), refs: [...over] }
}
