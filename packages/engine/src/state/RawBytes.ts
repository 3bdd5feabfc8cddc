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

const newline = 10
const encoder = new TextEncoder()

export class RawBytes {
  private readonly ranges: Array<Range> = []
  /** Bytes so far: where the next ones will begin. */
  length = 0

  add(bytes: Uint8Array, from: number, to: number): void {
    this.length += to - from
    const last = this.ranges.at(-1)
    // records mostly lie one behind the other
    if (last !== undefined && last.of === bytes && last.to === from) last.to = to
    else this.ranges.push({ of: bytes, from, to })
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
