/**
 * Bytes behind the JSON of a delta: records, which every quote would be escaped of as texts in it. Operators tell in their
 * entries where theirs lie.
 *
 * `StateCodec` makes one for a delta. **Gotchas**: what is added is copied when the delta is put together, and must not
 * change before.
 */
interface Range {
  readonly of: Uint8Array
  readonly from: number
  to: number
}

/** So much between two ranges is copied with them, as one: what stands between two records in a batch. */
const gapBytesMax = 32

const newline = 10
const encoder = new TextEncoder()

export class RawBytes {
  private readonly ranges: Array<Range> = []
  private last: Range | undefined
  /** Bytes so far: where the next ones will begin. */
  length = 0

  /** Where they will begin. */
  add(bytes: Uint8Array, from: number, to: number): number {
    const last = this.last
    // records mostly lie one behind the other
    if (last !== undefined && last.of === bytes && from >= last.to && from - last.to <= gapBytesMax) {
      this.length += to - last.to
      last.to = to
    } else {
      this.last = { of: bytes, from, to }
      this.ranges.push(this.last)
      this.length += to - from
    }
    return this.length - (to - from)
  }

  /** A line of JSON, and all bytes behind it. */
  behind(line: string): Uint8Array {
    const head = encoder.encode(line)
    const whole = new Uint8Array(head.length + 1 + this.length)
    whole.set(head)
    whole[head.length] = newline
    let used = head.length + 1
    for (const { from, of, to } of this.ranges) {
      whole.set(of.subarray(from, to), used)
      used += to - from
    }
    return whole
  }
}
