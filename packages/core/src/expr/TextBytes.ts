/**
 * Questions to a text that stands as UTF-8 bytes in a batch: what compiled expressions ask without making a string.
 *
 * In UTF-8 a text begins with, ends with or contains another exactly if its bytes do.
 */
import type { BytesTest } from "./Access.ts"
import type { TextTest } from "./Tree.ts"

const encoder = new TextEncoder()

/** Whether the bytes from `start` are the wanted ones; `bytes` must be long enough. */
export const bytesEqual = (bytes: Uint8Array, start: number, wanted: Uint8Array): boolean => {
  for (let at = 0; at < wanted.length; at++) if (bytes[start + at] !== wanted[at]) return false
  return true
}

export const textTest = (test: TextTest["test"], argument: string): BytesTest => {
  const wanted = encoder.encode(argument)
  const { length } = wanted
  switch (test) {
    case "startsWith":
      return (bytes, start, end) => end - start >= length && bytesEqual(bytes, start, wanted)
    case "endsWith":
      return (bytes, start, end) => end - start >= length && bytesEqual(bytes, end - length, wanted)
    case "contains":
      return (bytes, start, end) => {
        for (let at = start; at <= end - length; at++) {
          if (length === 0 || (bytes[at] === wanted[0] && bytesEqual(bytes, at, wanted))) return true
        }
        return false
      }
  }
}
