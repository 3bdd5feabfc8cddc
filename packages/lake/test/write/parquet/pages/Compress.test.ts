/** Both ways to ZSTD give what its decoder takes, at the length that a page's header says. */
import { zstdDecompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { compress, compressByNode } from "../../../../src/write/parquet/pages/Compress.ts"

const inputs = {
  "no byte": new Uint8Array(),
  "one byte": Uint8Array.of(7),
  "bytes without a pattern": Uint8Array.from({ length: 40_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24),
  "bytes that repeat": new Uint8Array(300_000).fill(9)
}

describe("compression", () => {
  for (const [what, bytes] of Object.entries(inputs)) {
    it.live(`gives back ${what}`, () =>
      Effect.promise(async () => {
        for (const each of [compress, compressByNode]) {
          const compressed = await each(bytes, 1)
          assert.deepStrictEqual(new Uint8Array(zstdDecompressSync(compressed)), bytes)
        }
      })
    )
  }
})
