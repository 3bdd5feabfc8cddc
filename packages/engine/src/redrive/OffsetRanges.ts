/**
 * A set of offsets of one partition as ranges: what a redrive has sent already. Pure.
 *
 * Offsets are added in ascending order within a run; runs with other conditions fill the gaps between.
 */

/** `[start, end)` pairs, ascending, neither touching nor overlapping. */
export type OffsetRanges = ReadonlyArray<readonly [start: number, end: number]>

/** Index of the first range that ends after the offset. */
const rangeAt = (ranges: OffsetRanges, offset: number): number => {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ranges[middle]![1] > offset) high = middle
    else low = middle + 1
  }
  return low
}

export const includesOffset = (ranges: OffsetRanges, offset: number): boolean => {
  const range = ranges[rangeAt(ranges, offset)]
  return range !== undefined && range[0] <= offset
}

/** With the offsets, which ascend, added. */
export const addOffsets = (ranges: OffsetRanges, offsets: ReadonlyArray<number>): OffsetRanges => {
  const all = [...ranges, ...offsets.map((offset) => [offset, offset + 1] as const)].sort((a, b) => a[0] - b[0])
  const merged: Array<[number, number]> = []
  for (const [start, end] of all) {
    const last = merged.at(-1)
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end)
    else merged.push([start, end])
  }
  return merged
}
