/**
 * Things in the order of their event times; those of one time by their order.
 *
 * Most come in that order: they stand in a line, whose ends are all that is touched. Only what comes earlier than the last
 * of the line goes through a heap.
 */
import { Heap } from "../state/Heap.ts"

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
  private readonly heap = new Heap<A>(before)

  add(item: A): void {
    const last = this.line.at(-1)
    if (last === undefined || before(last, item)) this.line.push(item)
    else this.heap.add(item)
  }

  first(): A | undefined {
    const next = this.line[this.head]
    const early = this.heap.first()
    if (next === undefined || early === undefined) return next ?? early
    return before(next, early) ? next : early
  }

  shift(): A | undefined {
    const first = this.first()
    if (first !== undefined && first === this.line[this.head]) this.shiftLine()
    else this.heap.shift()
    return first
  }

  private shiftLine(): void {
    this.head++
    // what stands before the head goes when it is half of all
    if (this.head * 2 < this.line.length) return
    this.line = this.line.slice(this.head)
    this.head = 0
  }

  length(): number {
    return this.line.length - this.head + this.heap.length()
  }

  /** In no order. */
  items(): ReadonlyArray<A> {
    return [...this.line.slice(this.head), ...this.heap.all()]
  }
}
