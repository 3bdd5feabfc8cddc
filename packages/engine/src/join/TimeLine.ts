/**
 * The records of one key and side in the order of their times, those of one time as they came.
 *
 * Most come in that order and go from its front: both cost the same however long it is.
 */
export class TimeLine<A extends { readonly time: number }> {
  private records: Array<A> = []
  /** Where it begins: what stands before has gone. */
  private head = 0

  length(): number {
    return this.records.length - this.head
  }

  /** By its place, from 0. */
  at(place: number): A | undefined {
    return this.records[this.head + place]
  }

  /** The place of the first record at or after `time`. */
  placeAt(time: number): number {
    const { head, records } = this
    let low = head
    let high = records.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (records[middle]!.time < time) low = middle + 1
      else high = middle
    }
    return low - head
  }

  /** The place behind the last record at or before `time`. */
  placeAfter(time: number): number {
    const { head, records } = this
    let low = head
    let high = records.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (records[middle]!.time <= time) low = middle + 1
      else high = middle
    }
    return low - head
  }

  /** Its record comes after all of its time that are there. */
  add(record: A): void {
    const last = this.records.at(-1)
    if (this.length() === 0 || last!.time <= record.time) this.records.push(record)
    else this.records.splice(this.head + this.placeAfter(record.time), 0, record)
  }

  removeAt(place: number): void {
    if (place === 0) this.removeFirst(1)
    else this.records.splice(this.head + place, 1)
  }

  removeFirst(count: number): void {
    this.head += count
    // what stands before the head goes when it is half of all
    if (this.head * 2 < this.records.length) return
    this.records = this.records.slice(this.head)
    this.head = 0
  }

  /** In their order. */
  all(): ReadonlyArray<A> {
    return this.records.slice(this.head)
  }
}
