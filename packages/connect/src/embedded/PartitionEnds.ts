/**
 * Where partitions end, as reads of this connection found it: so that whoever looks for more again and again pays for a
 * look at the file's version, not for a transaction with its lookups.
 *
 * `EmbeddedLog` asks before it reads, and notes ends that its reads found. **Guarantee**: an end is given only while no
 * connection has committed to the file since, but this one to other topics. Other connections' commits are told by
 * `PRAGMA data_version`; this connection's by `forget`, before they begin.
 */
import { type Database, dataVersion } from "./Database.ts"
import type { Topics } from "./CommitSignal.ts"

export interface PartitionEnds {
  /** The version that an end belongs to; asked for before the end is read. */
  readonly version: () => number
  /** The partition ended at `offset` when the file had this version. */
  readonly note: (topic: string, partition: number, offset: number, version: number) => void
  /** True when the partition still ends at `offset`; false when it does not, or nobody can say. */
  readonly is: (topic: string, partition: number, offset: number) => boolean
  /** This connection is about to write to the topics; undefined: to any. */
  readonly forget: (topics: Topics) => void
}

export const makePartitionEnds = (db: Database): PartitionEnds => {
  const ends = new Map<string, Map<number, number>>()
  let noted = 0
  // a file that cannot be looked at now is read in a transaction, which waits, or says why it cannot
  const unchanged = (): boolean => {
    try {
      return dataVersion(db) === noted
    } catch {
      return false
    }
  }
  return {
    version: () => dataVersion(db),
    note: (topic, partition, offset, version) => {
      if (version !== noted) ends.clear()
      noted = version
      let partitions = ends.get(topic)
      if (partitions === undefined) ends.set(topic, (partitions = new Map()))
      partitions.set(partition, offset)
    },
    is: (topic, partition, offset) => {
      if (ends.get(topic)?.get(partition) !== offset) return false
      if (unchanged()) return true
      ends.clear()
      return false
    },
    forget: (topics) => {
      if (topics === undefined) ends.clear()
      else for (const topic of topics) ends.delete(topic)
    }
  }
}
