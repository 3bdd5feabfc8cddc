/** What a running landing has done, for people: the pipeline's progress lines and its summary read it. */

export interface LandingStatus {
  readonly table: string
  readonly topic: string
  /** Rows of the table at its last known snapshot. */
  readonly rows: number
  readonly files: number
  /** Records of this run that did not decode: their dead letters are the topic's job's business. */
  readonly skipped: number
  /** Read and not yet swapped in. */
  readonly pending: number
  /** The next offset of each partition to land: the marks. */
  readonly positions: ReadonlyMap<number, number>
  readonly lastCommitAtMs: number | undefined
  readonly snapshotId: string | undefined
  /** Why the last attempt failed, until one succeeds. */
  readonly problem: string | undefined
}

/** Told after each step; holds the latest status of each table. */
export interface LandingMonitor {
  readonly update: (table: string, change: Partial<LandingStatus>) => void
  readonly status: () => ReadonlyArray<LandingStatus>
}

const empty = (table: string): LandingStatus => ({
  table,
  topic: "",
  rows: 0,
  files: 0,
  skipped: 0,
  pending: 0,
  positions: new Map(),
  lastCommitAtMs: undefined,
  snapshotId: undefined,
  problem: undefined
})

export const makeLandingMonitor = (): LandingMonitor => {
  const statuses = new Map<string, LandingStatus>()
  return {
    update: (table, change) => statuses.set(table, { ...(statuses.get(table) ?? empty(table)), ...change }),
    status: () => [...statuses.values()]
  }
}
