/** Things that are due at a time, the earliest first; those due together in the order they were added. */
import { Heap } from "../state/Heap.ts"

interface Due<A> {
  readonly atMs: number
  readonly order: number
  readonly item: A
}

const before = (left: Due<unknown>, right: Due<unknown>) =>
  left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order)

export class DueHeap<A> {
  private readonly heap = new Heap<Due<A>>(before)
  private added = 0

  add(item: A, atMs: number): void {
    this.heap.add({ atMs, order: this.added++, item })
  }

  /** When the first is due; infinite when there is none. */
  nextAtMs(): number {
    return this.heap.first()?.atMs ?? Number.POSITIVE_INFINITY
  }

  /** The first, if it is due. */
  take(nowMs: number): A | undefined {
    const first = this.heap.first()
    if (first === undefined || first.atMs > nowMs) return undefined
    this.heap.shift()
    return first.item
  }

  length(): number {
    return this.heap.length()
  }
}
