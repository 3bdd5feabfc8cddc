/** A batch's unknown fields as a column of text, for those who copy columns. Pure. */
import type { ColumnBatch } from "@frazil/core"

/** UTF-8 ranges by row; start −1 means null. */
export interface TextRanges {
  readonly bytes: Uint8Array
  readonly starts: Int32Array
  readonly ends: Int32Array
}

const utf8 = new TextEncoder()
const utf8BytesMax = 3

/** Undefined when no row has any. */
export const extraTexts = ({ extras, length }: ColumnBatch): TextRanges | undefined => {
  if (extras.size === 0) return undefined
  const starts = new Int32Array(length).fill(-1)
  const ends = new Int32Array(length)
  const bytes = new Uint8Array([...extras.values()].reduce((sum, text) => sum + text.length * utf8BytesMax, 0))
  let used = 0
  for (const [row, text] of extras) {
    starts[row] = used
    used += utf8.encodeInto(text, bytes.subarray(used)).written
    ends[row] = used
  }
  return { bytes: bytes.subarray(0, used), starts, ends }
}
