/**
 * Timers in the order of (time, key): a heap. What was deleted stays until its turn or until half of all is deleted; whoever
 * fires asks whether it is still set.
 */
export interface Timer {
  readonly time: number
  readonly key: string
}

const before = (left: Timer, right: Timer) =>
  left.time < right.time || (left.time === right.time && left.key < right.key)

export class TimerQueue {
  private heap: Array<Timer> = []
  private readonly isSet: (timer: Timer) => boolean

  constructor(isSet: (timer: Timer) => boolean) {
    this.isSet = isSet
  }

  /** `live`: timers that are set, this one among them. */
  add(timer: Timer, live: number): void {
    // timers that were deleted must not make it grow
    if (this.heap.length > 2 * live + 64) this.compact()
    this.rise(timer)
  }

  private compact(): void {
    const unique = new Map<string, Timer>()
    for (const timer of this.heap) if (this.isSet(timer)) unique.set(`${timer.time} ${timer.key}`, timer)
    this.heap = []
    for (const timer of unique.values()) this.rise(timer)
  }

  private rise(timer: Timer): void {
    const { heap } = this
    let at = heap.push(timer) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(timer, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = timer
  }

  /** The first one that is still set. */
  first(): Timer | undefined {
    for (;;) {
      const [timer] = this.heap
      if (timer === undefined || this.isSet(timer)) return timer
      this.shift()
    }
  }

  /** When the first one is due; +Infinity when there is none. */
  nextAt(): number {
    return this.first()?.time ?? Number.POSITIVE_INFINITY
  }

  shift(): void {
    const last = this.heap.pop()
    if (last === undefined || this.heap.length === 0) return
    const { heap } = this
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}
