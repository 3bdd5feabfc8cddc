/**
 * Things in the order of their event times; those of one time by their order.
 *
 * Most come in that order: they stand in a line, whose ends are all that is touched. Only what comes earlier than the last
 * of the line goes through a heap.
 */
export interface Timed {
  readonly time: number
  /** Of things of one time. */
  readonly id: number
}

const before = (left: Timed, right: Timed) => left.time < right.time || (left.time === right.time && left.id < right.id)

export class TimeQueue<A extends Timed> {
  private line: Array<A> = []
  /** Where the line begins. */
  private head = 0
  private readonly heap: Array<A> = []

  add(item: A): void {
    const last = this.line.at(-1)
    if (last === undefined || before(last, item)) this.line.push(item)
    else this.rise(item)
  }

  private rise(item: A): void {
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
    const next = this.line[this.head]
    const [early] = this.heap
    if (next === undefined || early === undefined) return next ?? early
    return before(next, early) ? next : early
  }

  shift(): A | undefined {
    const first = this.first()
    if (first !== undefined && first === this.line[this.head]) this.shiftLine()
    else this.shiftHeap()
    return first
  }

  private shiftLine(): void {
    this.head++
    // what stands before the head goes when it is half of all
    if (this.head * 2 < this.line.length) return
    this.line = this.line.slice(this.head)
    this.head = 0
  }

  private shiftHeap(): void {
    const last = this.heap.pop()
    if (last !== undefined && this.heap.length > 0) this.sink(last)
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
    return this.line.length - this.head + this.heap.length
  }

  /** In no order. */
  items(): ReadonlyArray<A> {
    return [...this.line.slice(this.head), ...this.heap]
  }
}
