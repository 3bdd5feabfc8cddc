/** What is to happen when: a heap by time, and by order of coming for what happens at one moment. */

interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
  cancelled: boolean
}

const before = (left: Event, right: Event): boolean =>
  left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order)

export class EventHeap {
  private readonly heap: Array<Event> = []
  private added = 0

  /** Adds an event; what is returned takes it back. */
  add(atMs: number, run: () => void): () => void {
    const event: Event = { atMs, order: this.added++, run, cancelled: false }
    this.heap.push(event)
    this.rise(this.heap.length - 1)
    return () => void (event.cancelled = true)
  }

  /** Takes the next event out; undefined when there is none. */
  take(): { readonly atMs: number; readonly run: () => void } | undefined {
    while (this.heap.length > 0) {
      const first = this.heap[0]!
      const last = this.heap.pop()!
      if (this.heap.length > 0) {
        this.heap[0] = last
        this.sink()
      }
      if (!first.cancelled) return first
    }
    return undefined
  }

  private rise(from: number): void {
    const { heap } = this
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(heap[at]!, heap[parent]!)) return
      this.swap(at, parent)
      at = parent
    }
  }

  private sink(): void {
    const { heap } = this
    let at = 0
    while (true) {
      const left = at * 2 + 1
      const right = left + 1
      let least = at
      if (left < heap.length && before(heap[left]!, heap[least]!)) least = left
      if (right < heap.length && before(heap[right]!, heap[least]!)) least = right
      if (least === at) return
      this.swap(at, least)
      at = least
    }
  }

  private swap(a: number, b: number): void {
    const held = this.heap[a]!
    this.heap[a] = this.heap[b]!
    this.heap[b] = held
  }
}
