/**
 * What an audit says: for each partition, what the log has, what the table has, and which offsets differ.
 *
 * Pure; `Audit.ts` fills it, commands print it.
 */

/** Offsets listed by name; beyond, they are only counted. */
const offsetsListedMax = 20

/** Offsets that differ in one way: how many, and the first of them. */
export interface OffsetSample {
  readonly count: number
  readonly offsets: ReadonlyArray<number>
}

/** Figures over offsets; `min` and `max` are null when there are none. */
export interface OffsetFigures {
  readonly rows: number
  readonly distinct: number
  readonly min: number | null
  readonly max: number | null
  readonly sum: bigint
}

export interface PartitionAudit {
  readonly partition: number
  /** The first offset that the log still has: rows below cannot be recounted. */
  readonly start: number
  /** The mark. */
  readonly next: number
  /** Records of the log from `start` to the mark. */
  readonly records: number
  /** Those of them that do not decode, and hence must not be rows. */
  readonly undecodable: number
  readonly expected: OffsetFigures
  readonly found: OffsetFigures
  /** Rows of records that retention removed from the log: counted, and looked at for doubles, no more. */
  readonly rowsBelowStart: number
  readonly missing: OffsetSample
  readonly doubled: OffsetSample
  readonly unexpected: OffsetSample
}

export interface AuditReport {
  readonly table: string
  readonly topic: string
  readonly snapshotId: bigint | undefined
  readonly committedAtMs: number | undefined
  readonly files: number
  readonly partitions: ReadonlyArray<PartitionAudit>
  /** Rows that say they come from another topic or an unknown partition. */
  readonly foreignRows: number
  /** What is wrong besides rows: marks that do not fit the log. */
  readonly problems: ReadonlyArray<string>
  /** Every valid record that the log still has is a row, once, and nothing else is; no row below is there twice. */
  readonly matches: boolean
}

const makeSample = () => {
  const offsets: Array<number> = []
  let count = 0
  return {
    add: (offset: number) => {
      count++
      if (offsets.length < offsetsListedMax) offsets.push(offset)
    },
    take: (): OffsetSample => ({ count, offsets })
  }
}

const makeFigures = () => {
  let rows = 0
  let distinct = 0
  let min: number | null = null
  let max: number | null = null
  let sum = 0n
  return {
    add: (offset: number, times: number) => {
      rows += times
      distinct++
      if (min === null || offset < min) min = offset
      if (max === null || offset > max) max = offset
      sum += BigInt(offset) * BigInt(times)
    },
    take: (): OffsetFigures => ({ rows, distinct, min, max, sum })
  }
}

/** One partition's sums and differences, range by range in ascending order. */
export const makeTally = () => {
  const expected = makeFigures()
  const found = makeFigures()
  const missing = makeSample()
  const doubled = makeSample()
  const unexpected = makeSample()
  let rowsBelowStart = 0
  return {
    /** Offsets that the table has and the log no more. */
    removed: (offsets: ReadonlyArray<number>, times: ReadonlyArray<number>) => {
      for (const [index, offset] of offsets.entries()) {
        rowsBelowStart += times[index]!
        if (times[index]! > 1) doubled.add(offset)
      }
    },
    /** The valid offsets of a range, and the offsets that the table has there with their times; both ascending. */
    compare: (valid: ReadonlyArray<number>, offsets: ReadonlyArray<number>, times: ReadonlyArray<number>) => {
      let at = 0
      for (const [index, offset] of offsets.entries()) {
        while (at < valid.length && valid[at]! < offset) missing.add(valid[at++]!)
        if (valid[at] === offset) at++
        else unexpected.add(offset)
        if (times[index]! > 1) doubled.add(offset)
        found.add(offset, times[index]!)
      }
      while (at < valid.length) missing.add(valid[at++]!)
      for (const offset of valid) expected.add(offset, 1)
    },
    take: () => ({
      expected: expected.take(),
      found: found.take(),
      rowsBelowStart,
      missing: missing.take(),
      doubled: doubled.take(),
      unexpected: unexpected.take()
    })
  }
}

/** Whether a partition's rows are exactly its valid records, as far as the log still has them. */
export const partitionMatches = (audit: PartitionAudit): boolean =>
  audit.missing.count === 0 && audit.doubled.count === 0 && audit.unexpected.count === 0
