/**
 * What conditions leave out, counted: a filter, a route where no branch goes on, a decision that no condition asked for.
 *
 * The stage programs count; `Shard.ts` writes an entry of the ledger for each operator when a block of offsets is over, and
 * keeps the open block in the shard's detail. Blocks lie where offsets say, so entries are the same whatever the batching
 * and the restarts. **Bounds**: an entry an operator for each `filteredBlock` offsets of a partition.
 */
import type { ColumnBatch } from "@frazil/core"
import { offsetsPerPartition } from "../repartition/Place.ts"

/** So many offsets share an entry. */
export const filteredBlock = 10_000

/** What an operator left out: how many records, and the first and the last of their offsets. */
export interface FilteredRange {
  readonly operator: string
  readonly from: number
  readonly to: number
  readonly count: number
}

export interface FilteredCounts {
  /** The operator of that name left out so many records, between two offsets of one block. */
  readonly add: (operator: string, count: number, from: number, to: number) => void
  /** The first row at or after `row` that lies in another block than the records before it; the batch's length if none does. */
  readonly cutAfter: (batch: ColumnBatch, row: number) => number
  /** Tells what the block has, and begins the one of that offset. */
  readonly cut: (offset: number) => void
  /** Tells what there is: the input has ended. */
  readonly close: () => void
  /** What the open blocks have so far; undefined when they have nothing. */
  readonly open: () => ReadonlyArray<FilteredRange> | undefined
}

/** Of a place too: the offset in it counts. */
const blockOf = (offset: number) => Math.floor((offset % offsetsPerPartition) / filteredBlock)

/**
 * `offset` is the next one to read, `open` what was counted before it; `tell` writes an entry. Behind a repartition offsets are
 * places (`Place.ts`) in no order: each partition that they came from has a block of its own, which another one of it ends.
 */
export const makeFilteredCounts = (
  offset: number,
  open: ReadonlyArray<FilteredRange> | undefined,
  tell: (range: FilteredRange) => void
): FilteredCounts => {
  const ranges = new Map<string, FilteredRange>()
  const nameOf = (operator: string, from: number) => `${operator} ${Math.floor(from / offsetsPerPartition)}`
  for (const range of open ?? []) ranges.set(nameOf(range.operator, range.from), range)
  let end = (blockOf(offset - 1) + 1) * filteredBlock
  /** In an order that does not depend on who counted first. */
  const all = () => [...ranges].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, range]) => range)
  const close = () => {
    for (const range of all()) tell(range)
    ranges.clear()
  }
  return {
    add: (operator, count, from, to) => {
      const name = nameOf(operator, from)
      const range = ranges.get(name)
      const over = range !== undefined && blockOf(range.from) !== blockOf(from)
      if (over) tell(range)
      ranges.set(
        name,
        range === undefined || over
          ? { operator, from, to, count }
          : { operator, from: Math.min(range.from, from), to: Math.max(range.to, to), count: range.count + count }
      )
    },
    cutAfter: ({ length, source: { offsets } }, row) => {
      if (length === 0 || offsets[length - 1]! < end) return length
      let at = row
      while (at < length && offsets[at]! < end) at++
      return at
    },
    cut: (next) => {
      close()
      end = (blockOf(next) + 1) * filteredBlock
    },
    close,
    open: () => (ranges.size === 0 ? undefined : all())
  }
}
