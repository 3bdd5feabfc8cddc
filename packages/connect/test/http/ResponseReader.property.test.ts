import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeResponseReader, type ReadStep } from "../../src/http/ResponseReader.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)
const bodyBytesMax = 1_000

/** Pushes a text in pieces that end at `cuts`. */
const read = (text: string, cuts: ReadonlyArray<number> = []): ReadStep => {
  const reader = makeResponseReader(bodyBytesMax)
  const bytes = bytesOf(text)
  let step: ReadStep = { _tag: "More" }
  let at = 0
  for (const cut of [...cuts.map((each) => each % bytes.length).toSorted((a, b) => a - b), bytes.length]) {
    if (cut === at) continue
    // a copy, as a socket would give it
    step = reader.push(bytes.slice(at, cut))
    at = cut
    if (step._tag !== "More") return step
  }
  return step
}

const shown = (step: ReadStep): unknown =>
  step._tag === "Done"
    ? [step.response.status, new TextDecoder().decode(step.response.body), step.reusable]
    : step._tag === "Failed"
      ? step.reason
      : "more"

const answers: ReadonlyArray<readonly [text: string, expected: unknown]> = [
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", [200, "hello", true]],
  ["HTTP/1.1 200 OK\r\ncontent-length:0\r\nConnection: Close\r\n\r\n", [200, "", false]],
  ["HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx", [200, "x", false]],
  ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 \r\n\r\n", [204, "", true]],
  ["HTTP/1.1 429\r\nretry-after: 3\r\nContent-Length: 2\r\n\r\n{}", [429, "{}", true]],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n",
    [200, "abcde", true]
  ],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", [200, "", false]],
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "more"],
  ["HTTP/1.1 200 OK\r\nX: no length\r\n\r\nhel", "more"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "TooLong"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n", "TooLong"],
  [`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(1_001)}`, "TooLong"],
  ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "NotHttp"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "NotHttp"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "NotHttp"],
  ["SSH-2.0-OpenSSH\r\n\r\n", "NotHttp"],
  ["HTTP/1.1 2x0 OK\r\n\r\n", "NotHttp"],
  ["x".repeat(70_000), "NotHttp"]
]

describe("answers of HTTP/1.1", () => {
  it.each(answers)("%j", (text, expected) => {
    assert.deepStrictEqual(shown(read(text)), expected)
  })

  it.prop(
    "read alike however their bytes arrive",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 })))],
    ([cuts]) => {
      for (const [text, expected] of answers.slice(0, -1))
        assert.deepStrictEqual(shown(read(text, cuts)), expected, text)
    },
    { arbitrary: { runs: 100, seed: 5 } }
  )

  it("end with the connection when they say no length, and give their headers", () => {
    const reader = makeResponseReader(bodyBytesMax)
    reader.push(bytesOf("HTTP/1.1 200 OK\r\nX-A:  b \r\n\r\nhel"))
    reader.push(bytesOf("lo"))
    const step = reader.end()
    assert(step._tag === "Done")
    assert.deepStrictEqual(shown(step), [200, "hello", false])
    assert.deepStrictEqual([step.response.header("x-a"), step.response.header("x")], ["b", undefined])
    const cut = makeResponseReader(bodyBytesMax)
    cut.push(bytesOf("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"))
    assert.strictEqual(shown(cut.end()), "NotHttp")
  })

  it("follow one another on a connection, and a byte too many ends it", () => {
    const reader = makeResponseReader(bodyBytesMax)
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    assert.deepStrictEqual(shown(reader.push(bytesOf(`${answer}a`))), [200, "a", true])
    assert.deepStrictEqual(shown(reader.push(bytesOf(`${answer}b`))), [200, "b", true])
    assert.deepStrictEqual(shown(reader.push(bytesOf(`${answer}bc`))), [200, "b", false])
  })
})
