/**
 * Text that the slow path produced, placed behind a batch's own bytes.
 */
const encoder = new TextEncoder()

export interface TextStore {
  /** Where the next text will begin, counted from the start of the batch's bytes. */
  readonly position: () => number
  readonly add: (text: string) => void
  /** The batch's bytes followed by the texts; the batch's own array when there are none. */
  readonly bytes: () => Uint8Array
}

const bytesInitial = 4_096

export const makeTextStore = (source: Uint8Array): TextStore => {
  let texts = new Uint8Array(0)
  let used = 0
  return {
    position: () => source.length + used,
    add: (text) => {
      // UTF-8 takes at most three bytes for each UTF-16 unit
      const needed = used + text.length * 3
      if (needed > texts.length) {
        const grown = new Uint8Array(Math.max(needed, texts.length * 2, bytesInitial))
        grown.set(texts.subarray(0, used))
        texts = grown
      }
      used += encoder.encodeInto(text, texts.subarray(used)).written
    },
    bytes: () => {
      if (used === 0) return source
      const all = new Uint8Array(source.length + used)
      all.set(source)
      all.set(texts.subarray(0, used), source.length)
      return all
    }
  }
}
