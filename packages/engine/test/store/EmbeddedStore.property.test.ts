/** The store against a map: what is found and scanned is the newest, whatever was merged meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import { type Entry, ValueTexts } from "../../src/store/Block.ts"
import { EmbeddedStore } from "../../src/store/EmbeddedStore.ts"
import { compareKeys, keyBytesMax, readKey, writeKey } from "../../src/store/KeyBytes.ts"
import { type Chance, makeChance } from "../support/Chance.ts"
import { damagedAt, memoryFolder } from "../support/StateFolders.ts"

const decoder = new TextDecoder()
const texts = new ValueTexts()
const valueOf = (entry: Entry) => texts.of(entry)

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

  it("scans the keys of a prefix, as a filter over all of them does: 8 seeds", () => {
    let found = 0
    for (let seed = 1; seed <= 8; seed++) {
      const chance = makeChance(seed)
      const folder = memoryFolder()
      const store = new EmbeddedStore({ files: folder.make("s"), sealed: false, over: () => false })
      const model = new Map<string, string>()
      for (let batch = 0; batch < 30; batch++) {
        const keys = Array.from({ length: 1 + chance.below(200) }, () => `${chance.below(40)}:${chance.below(3000)}`)
        const sorted = [...new Set(keys)].sort()
        const spill = store.spill(sorted.length)
        for (const key of sorted) {
          const value = `${seed}.${batch}.${"x".repeat(chance.below(300))}`
          spill.add(key, 0, value)
          model.set(key, value)
        }
        spill.end()
      }
      for (let group = 0; group < 45; group++) {
        const scanned: Array<readonly [string, string]> = []
        const scan = store.scanPrefix(`${group}:`, chance.pick([1, 5000, 131_072]))
        for (let entry = scan.next(); entry !== undefined; entry = scan.next())
          scanned.push([readKey(entry.bytes, entry.keyFrom, entry.keyTo), valueOf(entry)])
        scan.close()
        const expected = [...model].filter(([key]) => key.startsWith(`${group}:`)).sort(([a], [b]) => (a < b ? -1 : 1))
        assert.deepStrictEqual(scanned, expected, `seed ${seed}, group ${group}`)
        found += scanned.length
      }
      store.close()
      assert.strictEqual(folder.files.size, 0)
    }
    assert.isAbove(found, 10_000)
  })

  it("gives an increment no spill that began before the capture before: that had newer values from the cache", () => {
    const folder = memoryFolder()
    const store = new EmbeddedStore({ files: folder.make("s"), sealed: false, over: () => false })
    const spilled = (key: string) => {
      const spill = store.spill(1)
      spill.add(key, 0, "a value")
      return spill
    }
    const taken = () => {
      const keys: Array<string> = []
      const scan = store.scanRecent()
      for (let entry = scan.next(); entry !== undefined; entry = scan.next())
        keys.push(readKey(entry.bytes, entry.keyFrom, entry.keyTo))
      scan.close()
      return keys
    }
    store.scanAll().close()
    spilled("a").end()
    const underWay = spilled("b")
    assert.deepStrictEqual(taken(), ["a"])
    underWay.end()
    spilled("c").end()
    assert.deepStrictEqual(taken(), ["c"])
    assert.strictEqual(valueOf(store.find("b")!), "a value")
    store.close()
    assert.strictEqual(folder.files.size, 0)
  })

  it("lets segments go that have nothing but what is over, and keeps what lives", () => {
    const folder = memoryFolder()
    let overAt = 0
    const over = (time: number) => time <= overAt
    const store = new EmbeddedStore({ files: folder.make("s"), sealed: false, over, timesStay: true })
    let most = 0
    for (let round = 1; round <= 120; round++) {
      const spill = store.spill(500)
      for (let key = 0; key < 500; key++)
        spill.add(`${String(round).padStart(4, "0")} k${key + 1000}`, round, `value ${round}`)
      spill.end()
      overAt = round - 10
      store.dropOver()
      most = Math.max(most, store.counts().bytes)
      for (let lives = Math.max(1, overAt + 1); lives <= round; lives++)
        assert.strictEqual(valueOf(store.find(`${String(lives).padStart(4, "0")} k1042`)!), `value ${lives}`)
    }
    // ten rounds live
    assert.isBelow(most, 30 * 500 * 50)
    overAt = 120
    store.dropOver()
    assert.isBelow(store.counts().bytes, 16 * 500 * 50)
    store.close()
    assert.strictEqual(folder.files.size, 0)
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
