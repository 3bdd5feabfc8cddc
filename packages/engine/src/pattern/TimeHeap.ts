/** Things in the order of their event times; those of one time by their order. */
export interface Timed {
  readonly time: number
  /** Of things of one time. */
  readonly id: number
}

const before = (left: Timed, right: Timed) => left.time < right.time || (left.time === right.time && left.id < right.id)

export class TimeHeap<A extends Timed> {
  private readonly heap: Array<A> = []

  add(item: A): void {
    const { heap } = this
    let at = heap.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(item, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = item
  }

  first(): A | undefined {
    return this.heap[0]
  }

  shift(): A | undefined {
    const { heap } = this
    const [first] = heap
    const last = heap.pop()
    if (last !== undefined && heap.length > 0) this.sink(last)
    return first
  }

  private sink(item: A): void {
    const { heap } = this
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, item)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = item
  }

  length(): number {
    return this.heap.length
  }

  /** In no order. */
  items(): ReadonlyArray<A> {
    return this.heap
  }
}
