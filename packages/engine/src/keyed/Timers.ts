/**
 * The timers of a process function in one shard, in one domain of time: set per key, once for each (key, time), due in the
 * order of (time, key).
 */
import type { KeyEntry, KeyTimers } from "./KeyEntry.ts"
import { type Timer, TimerQueue } from "./TimerQueue.ts"
import type { FiredTimer, TimerSetter } from "./ProcessSpec.ts"
import { StateBoundError } from "./StateBoundError.ts"
import { changesOf, entryOf, type Turn } from "./Turn.ts"

export interface TimerBounds {
  readonly operator: string
  readonly perKeyMax: number
  readonly max: number
  /** Of both domains, in the shard. */
  live: number
}

export interface Timers {
  readonly setter: TimerSetter
  /** When the first one is due; +Infinity: none is set. */
  readonly nextAt: () => number
  /** The first one, when it is due at that time; it is set no more. */
  readonly take: (until: number) => Timer | undefined
  /** Those of a key that was loaded. */
  readonly restored: (entry: KeyTimers) => void
}

export interface TimersOptions {
  readonly domain: FiredTimer["domain"]
  readonly bounds: TimerBounds
  readonly turn: Turn
  /** Those of a key. */
  readonly timersOf: (key: string) => KeyTimers | undefined
  /** A timer must lie after it: the one that fires now, or −Infinity. */
  readonly after: () => number
  /** There is code that they would run. */
  readonly wanted: boolean
  /** Whether timers that are set now are left out. */
  readonly ended: () => boolean
}

export const makeTimers = ({ after, bounds, domain, ended, timersOf, turn, wanted }: TimersOptions): Timers => {
  const queue = new TimerQueue(({ key, time }) => timersOf(key)?.[domain].has(time) === true)

  const check = (entry: KeyEntry, time: number) => {
    const { max, operator, perKeyMax } = bounds
    const wrong = (message: string) => new StateBoundError({ field: domain, message: `${operator}: ${message}` })
    if (!wanted) throw wrong("a timer was set, but there is no onTimer that it would run")
    if (!Number.isFinite(time)) throw wrong("a timer was set for a time that is no number")
    if (time <= after()) throw wrong("a timer that fires set one for its own time or before, which would never end")
    if (entry.event.size + entry.processing.size >= perKeyMax)
      throw wrong(`a key has ${perKeyMax} timers, as many as timersPerKeyMax lets it`)
    if (bounds.live >= max) throw wrong(`there are ${max} timers in the partition, as many as timersMax lets it have`)
  }
  const put = (entry: KeyTimers, time: number) => {
    entry[domain].add(time)
    bounds.live++
    queue.add({ time, key: entry.key }, bounds.live)
  }
  const drop = (entry: KeyTimers, time: number) => {
    entry[domain].delete(time)
    bounds.live--
  }
  return {
    setter: {
      set: (time) => {
        const entry = entryOf(turn)
        if (entry[domain].has(time)) return
        check(entry, time)
        if (ended()) return
        put(entry, time)
        turn.undo.push(() => drop(entry, time))
        changesOf(turn, entry.key).timers = true
      },
      delete: (time) => {
        const entry = entryOf(turn)
        if (!entry[domain].has(time)) return
        drop(entry, time)
        turn.cleared = true
        turn.undo.push(() => put(entry, time))
        changesOf(turn, entry.key).timers = true
      }
    },
    nextAt: () => queue.nextAt(),
    take: (until) => {
      const timer = queue.first()
      if (timer === undefined || timer.time > until) return undefined
      queue.shift()
      drop(timersOf(timer.key)!, timer.time) // `first` gives none of a key that is not there
      changesOf(turn, timer.key).timers = true
      turn.cleared = true
      return timer
    },
    restored: (entry) => {
      for (const time of entry[domain]) {
        bounds.live++
        queue.add({ time, key: entry.key }, bounds.live)
      }
    }
  }
}
