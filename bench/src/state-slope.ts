/**
 * How the cost of state on disk grows with its size: the store alone, behind the cache that operators have, as far as gigabytes.
 *
 * usage: bun bench/src/state-slope.ts [megabytes …]. `state-store.ts` measures whole jobs; most of what those do costs the same
 * whatever the size, and filling gigabytes by records takes an hour. Here segments of sorted keys are spilled until the size is
 * there; then values of 450 bytes are read and written again, all keys as likely, a quarter as many times as there are keys, so
 * that what is written is merged into the last level. Prints a line of JSON for each size: µs of CPU a read and write, blocks read,
 * bytes written, memory as it was left, and after a collection.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { localStateFolder } from "@frazil/engine"
import { EmbeddedStore, StoredMap } from "@frazil/engine/store"
import { makeRandom } from "@frazil/sim"

const sizes = process.argv.slice(2).map(Number)
const entryBytes = 480
const measuredMin = 300_000
const measuredShare = 0.25
const spilledAtOnce = 8_000
const cacheBytesMax = 64 * 1_048_576

const keyOf = (index: number) => `ACC${String(index).padStart(10, "0")}`

/** As a profile of `state-store.ts`: about 450 bytes. */
const valueOf = (index: number) => ({
  count: index % 1000,
  total: index,
  merchants: Array.from({ length: 17 }, (_, at) => `MERCHANT-${String((index * 17 + at) % 99_991).padStart(7, "0")}`),
  amounts: Array.from({ length: 17 }, (_, at) => (index + at * 37) % 10_000)
})

const { bits } = makeRandom(42)
const random = () => bits() / 4_294_967_296

interface Value extends ReturnType<typeof valueOf> {}

const root = mkdtempSync(join(tmpdir(), "frazil-state-slope-"))
const files = localStateFolder(root).make("s")
const store = new EmbeddedStore({ files, sealed: false, over: () => false })
const map = new StoredMap<Value>({ store, cacheBytesMax, encode: (value) => value, decode: (value) => value as Value }) // written above

let keys = 0
const fill = (upTo: number) => {
  // what differs between values makes no difference here, and texts take longer to make than to write
  const text = JSON.stringify(valueOf(keys))
  for (; keys < upTo;) {
    const count = Math.min(spilledAtOnce, upTo - keys)
    const spill = store.spill(count)
    for (let each = 0; each < count; each++) spill.add(keyOf(keys + each), 0, text)
    spill.end()
    keys += count
  }
}

const change = (count: number) => {
  for (let turn = 0; turn < count; turn++) {
    const key = keyOf(Math.floor(random() * keys))
    const before = map.get(key)
    if (before === undefined) throw new Error(`${key} is lost`)
    const { amounts, count: times, merchants, total } = before.value
    const value = {
      count: times + 1,
      total: total + 1,
      merchants: [...merchants.slice(1), "MERCHANT-0012345"],
      amounts: [...amounts.slice(1), turn % 10_000]
    }
    map.set(key, value, 0)
  }
}

// Bun's own global has it
const { Bun: runtime } = globalThis as { readonly Bun?: { readonly gc: (now: boolean) => void } }
const rss = () => megabytes(process.memoryUsage.rss())
const collectedRss = () => {
  runtime?.gc(true)
  return rss()
}

const megabytes = (bytes: number) => Math.round(bytes / 1_048_576)
try {
  for (const size of sizes) {
    const filling = process.cpuUsage()
    const before = keys
    fill(Math.floor((size * 1_048_576) / entryBytes))
    const filled = process.cpuUsage(filling)
    change(100_000)
    const count = Math.max(measuredMin, Math.floor(keys * measuredShare))
    const from = { cpu: process.cpuUsage(), wall: performance.now(), ...map.counts() }
    change(count)
    const cpu = process.cpuUsage(from.cpu)
    const { bytes, memoryBytes, mergedBytes, reads, segments, spilledBytes } = map.counts()
    const row = {
      megabytes: size,
      keys,
      micros: Math.round((100 * (cpu.user + cpu.system)) / count) / 100,
      systemMicros: Math.round((100 * cpu.system) / count) / 100,
      wallMicros: Math.round(((performance.now() - from.wall) * 100_000) / count) / 100,
      fillMicros: Math.round((100 * (filled.user + filled.system)) / Math.max(1, keys - before)) / 100,
      reads: Math.round((1000 * (reads - from.reads)) / count) / 1000,
      spilledBytes: Math.round((spilledBytes - from.spilledBytes) / count),
      mergedBytes: Math.round((mergedBytes - from.mergedBytes) / count),
      segments,
      filesMb: megabytes(bytes),
      filtersMb: megabytes(memoryBytes),
      rssMb: rss(),
      collectedRssMb: collectedRss()
    }
    process.stdout.write(`${JSON.stringify(row)}\n`)
  }
} finally {
  map.close()
  rmSync(root, { recursive: true, force: true })
}
