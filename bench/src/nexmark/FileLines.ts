/** The lines of a file, one after the other; a chunk of it is in memory. */
import { closeSync, openSync, readSync } from "node:fs"

const chunkBytes = 1_048_576

export function* fileLines(file: string): Generator<string> {
  const descriptor = openSync(file, "r")
  try {
    const bytes = new Uint8Array(chunkBytes)
    const decoder = new TextDecoder()
    let rest = ""
    for (;;) {
      const read = readSync(descriptor, bytes, 0, chunkBytes, null)
      const lines = (rest + decoder.decode(bytes.subarray(0, read), { stream: read > 0 })).split("\n")
      rest = lines.pop() ?? ""
      yield* lines
      if (read === 0) break
    }
    if (rest !== "") yield rest
  } finally {
    closeSync(descriptor)
  }
}
