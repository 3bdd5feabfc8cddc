import { describe, expect, it } from "vitest"
import { murmur2, partitionOf, partitionOfBytes } from "../src/index.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

describe("murmur2", () => {
  // the cases of Kafka's own UtilsTest.testMurmur2
  it.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107]
  ])("of %s is Kafka's", (text, hash) => {
    expect(murmur2(bytes(text))).toBe(hash)
  })

  it("hashes a range of a buffer as it hashes the range alone", () => {
    const all = bytes("xxfoobaryy")
    expect(murmur2(all, 2, 8)).toBe(murmur2(bytes("foobar")))
  })

  it("chooses partitions as Kafka's default partitioner does, and 0 without a key", () => {
    expect(partitionOf("foobar", 4)).toBe((-790332482 & 0x7fffffff) % 4)
    expect(partitionOf("Zürich", 7)).toBe(partitionOfBytes(bytes("xZürich"), 1, bytes("xZürich").length, 7))
    expect(partitionOf(null, 4)).toBe(0)
  })
})
