/** Things that are due at a time, the earliest first; those due together in the order they were added. */
interface Due<A> {
  readonly atMs: number
  readonly order: number
  readonly item: A
}

const before = (left: Due<unknown>, right: Due<unknown>) =>
  left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order)

export class DueHeap<A> {
  private readonly heap: Array<Due<A>> = []
  private added = 0

  add(item: A, atMs: number): void {
    const { heap } = this
    const due = { atMs, order: this.added++, item }
    let at = heap.push(due) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(due, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = due
  }

  /** When the first is due; infinite when there is none. */
  nextAtMs(): number {
    return this.heap[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  /** The first, if it is due. */
  take(nowMs: number): A | undefined {
    const { heap } = this
    const first = heap[0]
    if (first === undefined || first.atMs > nowMs) return undefined
    const last = heap.pop()!
    if (heap.length > 0) this.sink(last)
    return first.item
  }

  private sink(due: Due<A>): void {
    const { heap } = this
    let at = 0
    while (true) {
      let child = 2 * at + 1
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (child >= heap.length || !before(heap[child]!, due)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = due
  }

  length(): number {
    return this.heap.length
  }
}
