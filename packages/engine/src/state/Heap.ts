/** Things of which the first one by an order is wanted, again and again: a binary heap. Equal ones come in no order. */
export class Heap<A> {
  private items: Array<A> = []
  private readonly before: (left: A, right: A) => boolean

  constructor(before: (left: A, right: A) => boolean) {
    this.before = before
  }

  add(item: A): void {
    const { before, items } = this
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(item, items[parent]!)) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  first(): A | undefined {
    return this.items[0]
  }

  /** Takes the first one out. */
  shift(): void {
    const { before, items } = this
    const last = items.pop()
    if (last === undefined || items.length === 0) return
    let at = 0
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++
      if (!before(items[child]!, last)) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
  }

  length(): number {
    return this.items.length
  }

  /** In no order. */
  all(): ReadonlyArray<A> {
    return this.items
  }

  clear(): void {
    this.items = []
  }
}
