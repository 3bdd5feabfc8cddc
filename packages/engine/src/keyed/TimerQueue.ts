/**
 * Timers in the order of (time, key): a heap. What was deleted stays until its turn or until half of all is deleted; whoever
 * fires asks whether it is still set.
 */
import { Heap } from "../state/Heap.ts"

export interface Timer {
  readonly time: number
  readonly key: string
}

const before = (left: Timer, right: Timer) =>
  left.time < right.time || (left.time === right.time && left.key < right.key)

export class TimerQueue {
  private readonly heap = new Heap(before)
  private readonly isSet: (timer: Timer) => boolean

  constructor(isSet: (timer: Timer) => boolean) {
    this.isSet = isSet
  }

  /** `live`: timers that are set, this one among them. */
  add(timer: Timer, live: number): void {
    // timers that were deleted must not make it grow
    if (this.heap.length() > 2 * live + 64) this.compact()
    this.heap.add(timer)
  }

  private compact(): void {
    const unique = new Map<string, Timer>()
    for (const timer of this.heap.all()) if (this.isSet(timer)) unique.set(`${timer.time} ${timer.key}`, timer)
    this.heap.clear()
    for (const timer of unique.values()) this.heap.add(timer)
  }

  /** The first one that is still set. */
  first(): Timer | undefined {
    for (;;) {
      const timer = this.heap.first()
      if (timer === undefined || this.isSet(timer)) return timer
      this.heap.shift()
    }
  }

  /** When the first one is due; +Infinity when there is none. */
  nextAt(): number {
    return this.first()?.time ?? Number.POSITIVE_INFINITY
  }

  shift(): void {
    this.heap.shift()
  }
}
