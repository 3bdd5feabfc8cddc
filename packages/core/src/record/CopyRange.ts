/**
 * Copies ranges of bytes from one array into another, record by record.
 *
 * A copy through `Buffer` makes no view of the range first: of a record's few hundred bytes a third of what
 * `target.set(source.subarray(…))` takes. Make it once for a batch.
 */
import { Buffer } from "node:buffer"

/** Copies `source[start, end)` to `target[at …]`, which has room for it. */
export type CopyRange = (start: number, end: number, at: number) => void

const bufferOf = ({ buffer, byteLength, byteOffset }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)

export const makeCopyRange = (source: Uint8Array, target: Uint8Array): CopyRange => {
  const from = bufferOf(source)
  const to = bufferOf(target)
  return (start, end, at) => void from.copy(to, at, start, end)
}
