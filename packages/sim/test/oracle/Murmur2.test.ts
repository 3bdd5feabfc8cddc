import { expect, it } from "vitest"
import { murmur2, partitionOf } from "../../src/oracle/Murmur2.ts"

// from Kafka's own tests (clients, UtilsTest.testMurmur2)
const vectors: ReadonlyArray<readonly [key: string, hash: number]> = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107]
]

it("hashes as Kafka does", () => {
  for (const [key, hash] of vectors) expect(murmur2(new TextEncoder().encode(key)) | 0, key).toBe(hash)
})
it("takes the low 31 bits for the partition", () => {
  expect(partitionOf("21", 4)).toBe((-973932308 & 0x7fffffff) % 4)
})
