/**
 * Cuts a file's bytes into lines, in one buffer of fixed size, with a running hash of what was consumed.
 *
 * `FileFeed` fills it and takes lines from it. A line ends at `\n`, which is not part of it; a last line may end with the
 * file. **Bounds**: a line longer than `lineBytesMax` is never held: its head, length and hash are.
 */
import { createHash, type Hash } from "node:crypto"

const newline = 10

export interface LineSink {
  /** A line `[start, end)` of the buffer, which holds it until `settle` has been called. False: take no more for now. */
  readonly line: (buffer: Uint8Array, start: number, end: number) => boolean
  /** A line that is too long: its first bytes, its length, and the SHA-256 of all of it. */
  readonly longLine: (head: Uint8Array, length: number, sha256: string) => boolean
  /** What was given so far is not in the buffer any more after this. */
  readonly settle: () => void
}

export interface LineSplitterOptions {
  readonly lineBytesMax: number
  /** How much of a line that is too long is kept. */
  readonly headBytes: number
  /** The hash of everything before the first byte that comes. */
  readonly hash: Hash
}

export interface LineSplitter {
  /** The buffer to read into, and from where on; there is always room. */
  readonly space: () => { readonly buffer: Uint8Array; readonly at: number }
  /** So many bytes were read. */
  readonly filled: (bytes: number) => void
  /** Gives lines to the sink until it wants no more (true) or more bytes are needed (false). */
  readonly split: (sink: LineSink) => boolean
  /** Gives the line that ends with the file, if there is one. */
  readonly end: (sink: LineSink) => void
  /** Bytes of all lines given so far, and the hash of all bytes up to there. Not inside a line that is too long. */
  readonly consumed: () => { readonly bytes: number; readonly sha256: string }
}

const readBytes = 1_048_576

/** A line that is too long, so far. */
interface LongLine {
  readonly head: Uint8Array
  readonly hash: Hash
  length: number
}

export const makeLineSplitter = (options: LineSplitterOptions): LineSplitter => {
  const { lineBytesMax, headBytes, hash } = options
  const buffer = new Uint8Array(lineBytesMax + 1 + readBytes)
  // [from, filledTo) is not consumed yet; no newline lies before `searched`; what lies before `hashed` is in the hash
  let from = 0
  let searched = 0
  let filledTo = 0
  let hashed = 0
  let consumed = 0
  let long: LongLine | undefined

  const hashUpTo = (position: number) => {
    if (position === hashed) return
    hash.update(buffer.subarray(hashed, position))
    consumed += position - hashed
    hashed = position
  }
  const lengthen = (line: LongLine, end: number) => {
    line.hash.update(buffer.subarray(from, end))
    line.length += end - from
    from = end
    searched = end
    hashUpTo(end)
  }
  const beginLong = (): LongLine => ({
    head: buffer.slice(from, from + headBytes),
    hash: createHash("sha256"),
    length: 0
  })
  const giveLong = (sink: LineSink, line: LongLine): boolean => {
    long = undefined
    return sink.longLine(line.head, line.length, line.hash.digest("hex"))
  }
  const give = (sink: LineSink, end: number): boolean => {
    const start = from
    if (end - start <= lineBytesMax) {
      from = end
      return sink.line(buffer, start, end)
    }
    const line = beginLong()
    lengthen(line, end)
    return giveLong(sink, line)
  }
  const splitLines = (sink: LineSink): boolean => {
    const view = buffer.subarray(0, filledTo)
    for (;;) {
      const end = view.indexOf(newline, searched)
      if (end < 0) break
      let more: boolean
      if (long === undefined) more = give(sink, end)
      else {
        lengthen(long, end)
        more = giveLong(sink, long)
      }
      from = end + 1
      searched = from
      if (!more) return true
    }
    searched = filledTo
    if (long === undefined && filledTo - from > lineBytesMax) long = beginLong()
    if (long !== undefined) lengthen(long, filledTo)
    return false
  }
  return {
    space: () => {
      hashUpTo(from)
      buffer.copyWithin(0, from, filledTo)
      filledTo -= from
      searched -= from
      from = 0
      hashed = 0
      return { buffer, at: filledTo }
    },
    filled: (bytes) => {
      filledTo += bytes
    },
    split: (sink) => {
      const full = splitLines(sink)
      sink.settle()
      return full
    },
    end: (sink) => {
      if (long !== undefined) giveLong(sink, long)
      else if (filledTo > from) give(sink, filledTo)
      sink.settle()
      searched = filledTo
    },
    consumed: () => {
      hashUpTo(from)
      return { bytes: consumed, sha256: hash.copy().digest("hex") }
    }
  }
}
