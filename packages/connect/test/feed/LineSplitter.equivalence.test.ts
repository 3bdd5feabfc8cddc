/**
 * The line splitter against splitting the whole text at once, for any content and any sizes of reads.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import { createHash } from "node:crypto"
import { type LineSink, type LineSplitter, makeLineSplitter } from "../../src/feed/LineSplitter.ts"

const lineBytesMax = 12
const headBytes = 5

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** What the splitter must give: lines as text; lines that are too long as head, length and hash. */
const expectedLines = (content: Buffer): ReadonlyArray<string> => {
  const lines: Array<Buffer> = []
  let from = 0
  for (let at = content.indexOf(10); at >= 0; at = content.indexOf(10, from)) {
    lines.push(content.subarray(from, at))
    from = at + 1
  }
  if (from < content.length) lines.push(content.subarray(from))
  return lines.map((line) =>
    line.length <= lineBytesMax
      ? line.toString("latin1")
      : `${line.subarray(0, headBytes).toString("latin1")}… ${line.length} ${sha256(line)}`
  )
}

/** Reads lines as late as it may: when they settle. */
const collect = (into: Array<string>, more: () => boolean): LineSink => {
  const noted: Array<Uint8Array> = []
  const settle = () => {
    for (const line of noted.splice(0)) into.push(Buffer.from(line).toString("latin1"))
  }
  return {
    settle,
    line: (buffer, start, end) => {
      noted.push(buffer.subarray(start, end))
      return more()
    },
    longLine: (head, length, hash) => {
      settle()
      into.push(`${Buffer.from(head).toString("latin1")}… ${length} ${hash}`)
      return more()
    }
  }
}

/** Feeds the content in reads of random sizes; `pause` says whether the sink wants no more after a line. */
const splitAll = (content: Buffer, sizes: ReadonlyArray<number>, pause: () => boolean) => {
  const splitter: LineSplitter = makeLineSplitter({
    lineBytesMax,
    headBytes,
    hash: createHash("sha256")
  })
  const lines: Array<string> = []
  let at = 0
  const sink = collect(lines, () => !pause())
  for (let read = 0; ;) {
    if (splitter.split(sink)) {
      const { bytes, sha256: hash } = splitter.consumed()
      assert.strictEqual(hash, sha256(content.subarray(0, bytes)))
      assert.strictEqual(content[bytes - 1], 10)
      assert.deepStrictEqual(lines, expectedLines(content.subarray(0, bytes)))
      continue
    }
    const { buffer, at: into } = splitter.space()
    const count = Math.min(sizes[read++ % sizes.length]!, content.length - at)
    if (count === 0) break
    content.copy(buffer, into, at, at + count)
    at += count
    splitter.filled(count)
  }
  splitter.end(sink)
  assert.deepStrictEqual(splitter.consumed(), { bytes: content.length, sha256: sha256(content) })
  return lines
}

describe("LineSplitter", () => {
  it.effect("gives the lines that splitting the whole gives, and hashes what it consumed", () =>
    Effect.gen(function* () {
      for (let trial = 0; trial < 400; trial++) {
        const length = yield* Random.nextIntBetween(0, 200)
        const newlines = yield* Random.nextBetween(0.01, 0.3)
        const bytes: Array<number> = []
        for (let index = 0; index < length; index++) {
          bytes.push((yield* Random.next) < newlines ? 10 : yield* Random.nextIntBetween(11, 256))
        }
        const sizes: Array<number> = []
        for (let index = 0; index < 5; index++) sizes.push(yield* Random.nextIntBetween(1, 40))
        let line = 0
        const every = yield* Random.nextIntBetween(1, 4)
        const content = Buffer.from(bytes)
        const lines = splitAll(content, sizes, () => ++line % every === 0)
        assert.deepStrictEqual(lines, expectedLines(content), `trial ${trial}`)
      }
    }).pipe(Random.withSeed("lines"))
  )
})
