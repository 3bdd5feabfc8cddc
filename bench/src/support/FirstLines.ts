/** The first lines of a file, as a file of their own. */
import { closeSync, openSync, readSync, writeSync } from "node:fs"

const lineFeed = 10
const readBytes = 1 << 20

/** Copies at most `lines` of them; false when that is the whole file. */
export const copyFirstLines = (file: string, to: string, lines: number): boolean => {
  const from = openSync(file, "r")
  const into = openSync(to, "w")
  const buffer = new Uint8Array(readBytes)
  try {
    let left = lines
    while (left > 0) {
      const read = readSync(from, buffer)
      if (read === 0) return false
      let end = 0
      while (left > 0 && end < read) {
        const at = buffer.subarray(0, read).indexOf(lineFeed, end)
        end = at < 0 ? read : at + 1
        if (at >= 0) left--
      }
      writeSync(into, buffer, 0, end)
      if (left === 0 && end < read) return true
    }
    return readSync(from, buffer, 0, 1, null) > 0
  } finally {
    closeSync(from)
    closeSync(into)
  }
}
