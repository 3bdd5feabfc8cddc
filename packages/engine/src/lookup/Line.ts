/** A queue in an array: adding and taking cost the same however long it is. */
const shiftedMax = 1024

export class Line<A> {
  private items: Array<A> = []
  private from = 0

  push(item: A): void {
    this.items.push(item)
  }

  first(): A | undefined {
    return this.items[this.from]
  }

  shift(): A | undefined {
    const item = this.items[this.from]
    if (item === undefined) return undefined
    this.from++
    if (this.from === this.items.length || (this.from >= shiftedMax && this.from * 2 >= this.items.length)) {
      this.items = this.items.slice(this.from)
      this.from = 0
    }
    return item
  }

  length(): number {
    return this.items.length - this.from
  }
}
