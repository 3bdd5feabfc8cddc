/** The store against a map: what is found and scanned is the newest, whatever was merged meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import type { Entry } from "../../src/store/Block.ts"
import { EmbeddedStore } from "../../src/store/EmbeddedStore.ts"
import { compareKeys, keyBytesMax, readKey, writeKey } from "../../src/store/KeyBytes.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { damagedAt, memoryFolder } from "../support/StateFolders.ts"

const decoder = new TextDecoder()
const valueOf = ({ bytes, keyTo, valueTo }: Entry) => decoder.decode(bytes.subarray(keyTo, valueTo))

const units = [0x61, 0x62, 0x7f, 0x80, 0x7ff, 0x800, 0xd83d, 0xde00, 0xd800, 0xffff]
const oddKey = (chance: Chance) =>
  String.fromCharCode(...Array.from({ length: chance.below(5) }, () => chance.pick(units)))

interface Model {
  readonly entries: Map<string, { readonly value: string | undefined; readonly time: number }>
  overAt: number
}

const ttlMs = 1000
const over = ({ overAt }: Model, time: number) => overAt - time >= ttlMs

const check = (store: EmbeddedStore, model: Model, keys: ReadonlyArray<string>, seed: number) => {
  for (const key of keys) {
    const known = model.entries.get(key)
    const found = store.find(key)
    const value = found === undefined || found.deleted || over(model, found.time) ? undefined : valueOf(found)
    assert.strictEqual(value, known === undefined || over(model, known.time) ? undefined : known.value, `seed ${seed}`)
  }
  const scanned: Array<readonly [string, string]> = []
  const scan = store.scan()
  for (let entry = scan.next(); entry !== undefined; entry = scan.next())
    if (!entry.deleted && !over(model, entry.time))
      scanned.push([readKey(entry.bytes, entry.keyFrom, entry.keyTo), valueOf(entry)])
  scan.close()
  const expected = [...model.entries]
    .flatMap(([key, { time, value }]) => (value === undefined || over(model, time) ? [] : [[key, value] as const]))
    .sort(([left], [right]) => (left < right ? -1 : 1))
  assert.deepStrictEqual(scanned, expected, `seed ${seed}`)
}

const run = (seed: number, sealed: boolean, odd: boolean) => {
  const chance = makeChance(seed)
  const folder = memoryFolder(sealed)
  const model: Model = { entries: new Map(), overAt: 0 }
  const store = new EmbeddedStore({ files: folder.make("s"), sealed, over: (time) => over(model, time) })
  const keySpace = odd ? 40 : 2000
  const keyOf = () => (odd ? oddKey(chance) : `ACC${String(chance.below(keySpace)).padStart(8, "0")}`)
  let at = 0
  for (let batch = 0; batch < 60; batch++) {
    const count = 1 + chance.below(odd ? 10 : 300)
    at += chance.below(30)
    const keys = [...new Set(Array.from({ length: count }, keyOf))].sort()
    const spill = store.spill(keys.length)
    for (const key of keys) {
      const value = chance.once(6)
        ? undefined
        : `${seed}.${batch}.${"x".repeat(chance.once(50) ? 20_000 : chance.below(60))}`
      // a key's time does not go back
      const time = Math.max(at - chance.below(200), model.entries.get(key)?.time ?? 0)
      spill.add(key, time, value)
      model.entries.set(key, { value, time })
    }
    spill.end()
    if (chance.once(3)) model.overAt = Math.max(model.overAt, at - 100)
    if (batch % 12 === 11) check(store, model, [...model.entries.keys(), ...Array.from({ length: 50 }, keyOf)], seed)
  }
  check(store, model, [...model.entries.keys()], seed)
  const counts = store.counts()
  store.close()
  assert.strictEqual(folder.files.size, 0, "a closed store leaves no file")
  return counts
}

describe("an embedded store", () => {
  it("finds and scans what was written last, over merges: 12 seeds, with checksums and sealed, odd keys and long values", () => {
    let merged = 0
    for (let seed = 1; seed <= 12; seed++) merged += run(seed, seed % 2 === 0, seed % 4 >= 2).mergedBytes
    assert.isAbove(merged, 1_000_000)
  })

  it("keeps few segments and drops what was replaced", () => {
    const folder = memoryFolder()
    const store = new EmbeddedStore({ files: folder.make("s"), sealed: false, over: () => false })
    for (let round = 0; round < 200; round++) {
      const spill = store.spill(500)
      for (let key = 0; key < 500; key++) spill.add(`k${String(key).padStart(4, "0")}`, 0, `value ${round}`)
      spill.end()
    }
    const { bytes, segments } = store.counts()
    assert.isBelow(segments, 16)
    assert.isBelow(bytes, 16 * 500 * 50)
    store.close()
  })

  it("tells every block that is not what was written, sealed or not", () => {
    for (const sealed of [false, true]) {
      const folder = memoryFolder(sealed)
      const store = new EmbeddedStore({ files: folder.make("s"), sealed, over: () => false })
      const spill = store.spill(1)
      spill.add("key", 0, "value")
      spill.end()
      folder.fault = damagedAt(1)
      assert.throws(() => store.find("key"), /is not what was written/)
      assert.strictEqual(valueOf(store.find("key")!), "value")
      store.close()
    }
  })

  it("writes neither keys nor values in the clear when it is sealed", () => {
    for (const sealed of [false, true]) {
      const folder = memoryFolder(sealed)
      const store = new EmbeddedStore({ files: folder.make("s"), sealed, over: () => false })
      const spill = store.spill(1)
      spill.add("4111111111111111", 0, "a secret value")
      spill.end()
      const text = [...folder.files.values()].map((bytes) => decoder.decode(bytes)).join("")
      assert.strictEqual(text.includes("4111111111111111"), !sealed)
      assert.strictEqual(text.includes("a secret value"), !sealed)
      store.close()
    }
  })
})

describe("keys as bytes", () => {
  it("are in the order of the strings and come back, half surrogate pairs too", () => {
    const chance = makeChance(7)
    const bytesOf = (key: string) => {
      const bytes = new Uint8Array(keyBytesMax(key))
      return bytes.subarray(0, writeKey(key, bytes, 0))
    }
    const keys = [...Array.from({ length: 400 }, () => oddKey(chance)), "a".repeat(10_000)]
    for (const left of keys) {
      const bytes = bytesOf(left)
      assert.strictEqual(readKey(bytes, 0, bytes.length), left)
      const right = chance.pick(keys)
      const other = bytesOf(right)
      const order = compareKeys(bytes, 0, bytes.length, other, 0, other.length)
      assert.strictEqual(Math.sign(order), left === right ? 0 : left < right ? -1 : 1)
    }
  })
})
