/**
 * Where partitions ended a moment ago, and from where on nothing but markers stood before that: a read there needs no request.
 *
 * While nothing happens a system would ask brokers for every partition of every topic, again and again. One request tells all
 * ends, and is repeated while somebody waits. What this process commits is seen at once, others' commits within `freshMs`.
 *
 * **Gotchas**: other threads and processes say by other ways that they have committed: whoever goes by such a word reads with
 * `now`, past what is known here. **Guarantee**: what is known is as old as its request, however late the answer was taken in, and an end
 * never goes back: who asked for an end reads up to it.
 */

export interface KnownEnds {
  /** The partition's end, if no record stands from `offset` up to there now; undefined when that is not known. */
  readonly endBehind: (topic: string, partition: number, offset: number, nowMs: number) => number | undefined
  /** The partition's end, as far as it is known now. */
  readonly end: (topic: string, partition: number, nowMs: number) => number | undefined
  /** Before something is asked for, and when: what was asked before a commit of this process is not told after it. */
  readonly asking: (nowMs: number) => {
    readonly ends: (topic: string, partition: number, end: number) => void
    /** A fetch found no records in `[from, end)`. */
    readonly empty: (topic: string, partition: number, from: number, end: number) => void
  }
  /** Something was committed here, to these partitions: `topic/partition`. */
  readonly committed: (partitions: Iterable<string>) => void
  readonly clear: () => void
}

interface Known {
  readonly emptyFrom: number
  readonly end: number
  readonly askedMs: number
}

const freshMs = 100
/** What was asked so long ago is answered, or never: an end before the known one is that of a topic that was made anew. */
const answeredMs = 60_000

export const makeKnownEnds = (): KnownEnds => {
  const known = new Map<string, Known>()
  let commits = 0
  const freshOf = (topic: string, partition: number, nowMs: number): Known | undefined => {
    const found = known.get(`${topic}/${partition}`)
    // a clock that was set back makes nothing fresh
    return found === undefined || nowMs < found.askedMs || nowMs - found.askedMs > freshMs ? undefined : found
  }
  return {
    end: (topic, partition, nowMs) => freshOf(topic, partition, nowMs)?.end,
    endBehind: (topic, partition, offset, nowMs) => {
      const found = freshOf(topic, partition, nowMs)
      if (found === undefined) return undefined
      return offset >= found.emptyFrom && offset <= found.end ? found.end : undefined
    },
    asking: (askedMs) => {
      const before = commits
      const tell = (name: string, end: number, emptyFrom: (found: Known | undefined) => number) => {
        const found = known.get(name)
        const overtaken = found !== undefined && end < found.end && askedMs - found.askedMs <= answeredMs
        if (commits !== before || overtaken) return
        known.set(name, { emptyFrom: emptyFrom(found), end, askedMs })
      }
      return {
        ends: (topic, partition, end) =>
          tell(`${topic}/${partition}`, end, (found) => (found?.end === end ? found.emptyFrom : end)),
        empty: (topic, partition, from, end) => tell(`${topic}/${partition}`, end, () => from)
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
