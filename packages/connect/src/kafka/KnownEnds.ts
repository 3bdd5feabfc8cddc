/**
 * Where partitions ended a moment ago, and from where on nothing but markers stood before that: a read there needs no request.
 *
 * While nothing happens a system would ask brokers for every partition of every topic, again and again. One request tells all
 * ends, and is repeated while somebody waits. What this process commits is seen at once, others' commits within `freshMs`.
 */

export interface KnownEnds {
  /** The partition's end, if no record stands from `offset` up to there now; undefined when that is not known. */
  readonly endBehind: (topic: string, partition: number, offset: number, nowMs: number) => number | undefined
  /** Before something is asked for: what was asked before a commit of this process is not told after it. */
  readonly asking: () => {
    readonly ends: (topic: string, partition: number, end: number, nowMs: number) => void
    /** A fetch found no records in `[from, end)`. */
    readonly empty: (topic: string, partition: number, from: number, end: number, nowMs: number) => void
  }
  /** Something was committed here, to these partitions: `topic/partition`. */
  readonly committed: (partitions: Iterable<string>) => void
  readonly clear: () => void
}

interface Known {
  readonly emptyFrom: number
  readonly end: number
  readonly atMs: number
}

const freshMs = 100

export const makeKnownEnds = (): KnownEnds => {
  const known = new Map<string, Known>()
  let commits = 0
  return {
    endBehind: (topic, partition, offset, nowMs) => {
      const found = known.get(`${topic}/${partition}`)
      // a clock that was set back makes nothing fresh
      if (found === undefined || nowMs < found.atMs || nowMs - found.atMs > freshMs) return undefined
      return offset >= found.emptyFrom && offset <= found.end ? found.end : undefined
    },
    asking: () => {
      const before = commits
      return {
        ends: (topic, partition, end, nowMs) => {
          if (commits !== before) return
          const found = known.get(`${topic}/${partition}`)
          known.set(`${topic}/${partition}`, {
            emptyFrom: found?.end === end ? found.emptyFrom : end,
            end,
            atMs: nowMs
          })
        },
        empty: (topic, partition, from, end, nowMs) => {
          if (commits === before) known.set(`${topic}/${partition}`, { emptyFrom: from, end, atMs: nowMs })
        }
      }
    },
    committed: (partitions) => {
      commits++
      for (const each of partitions) known.delete(each)
    },
    clear: () => {
      commits++
      known.clear()
    }
  }
}
