/**
 * Tables on disk against those in memory, call by call: the same rows, sizes and changes, over restores in which each takes over
 * what the other one gave, some of them by a version of the job that takes more of the table.
 */
import { Decimal } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { RawBytes } from "../../src/state/RawBytes.ts"
import { applyEncoded, encodeDelta, PartWriter } from "../../src/state/StateCodec.ts"
import { makeTableState, type TableState } from "../../src/state/TableState.ts"
import type { OpenStore } from "../../src/store/OpenStore.ts"
import { piecesOf } from "../support/Captures.ts"
import { makeChance } from "../support/Chance.ts"
import { memoryFolder } from "../support/StateFolders.ts"

type Place = "disk" | "memory"
const places: ReadonlyArray<Place> = ["disk", "memory"]

/** Keys of foreign producers are any text. */
const keysOf = (count: number): ReadonlyArray<string> => [
  "",
  "é",
  "\ud800",
  "x".repeat(5000),
  ...Array.from({ length: count }, (_, index) => `k${index}`)
]

const partOf = (state: TableState, kind: "base" | "increment"): Uint8Array => {
  const writer = new PartWriter()
  for (const piece of piecesOf(state, kind, 0)) writer.add(state.name, piece)
  return writer.take()
}

interface Met {
  reads: number
  deleted: number
  anew: number
  compared: number
}

const runTwins = (seed: number, cacheBytesMax: number, met: Met): void => {
  const chance = makeChance(seed)
  const keys = keysOf(chance.pick([3, 30, 90]))
  const folder = memoryFolder(seed % 2 === 0)
  let opened = 0
  const open: OpenStore = (operator) => ({ files: folder.make(`${opened++}/${operator}`), sealed: seed % 2 === 0 })
  let fields: ReadonlyArray<string> = ["score"]
  const make = (place: Place) =>
    makeTableState({ name: "table(t)", fields, store: { cacheBytesMax } }, place === "disk" ? open : undefined)
  let twins: Readonly<Record<Place, TableState>> = { disk: make("disk"), memory: make("memory") }
  let chains: Readonly<Record<Place, Array<Uint8Array>>> = { disk: [], memory: [] }

  const same = (what: string, ask: (state: TableState) => unknown) =>
    assert.deepStrictEqual(ask(twins.disk), ask(twins.memory), `seed ${seed}, ${what}`)
  const change = () => {
    const key = chance.pick(keys)
    const row = {
      score: chance.pick([null, chance.below(1000), Decimal.make(BigInt(chance.below(1000)), 2)]),
      name: chance.pick(["n", "\u0000", ""]),
      more: 1
    }
    const gone = chance.once(3)
    if (gone && twins.memory.get(key) !== undefined) met.deleted++
    for (const place of places) if (gone) twins[place].delete(key)
    for (const place of places) if (!gone) twins[place].set(key, row)
  }
  const commit = (at: number) => {
    for (const place of places) chains[place].push(encodeDelta([twins[place]]))
    assert.deepStrictEqual(chains.disk.at(-1), chains.memory.at(-1), `seed ${seed}, changes at ${at}`)
  }
  const snapshot = (kind: "base" | "increment") => {
    for (const place of places) {
      if (kind === "base") chains[place].length = 0
      chains[place].push(partOf(twins[place], kind))
    }
  }
  const restart = () => {
    met.reads += twins.disk.stored?.().reads ?? 0
    twins.disk.discard?.()
    if (chance.once(3)) fields = fields.length === 2 ? ["score"] : ["score", "name"]
    // each takes over what the other one had
    chains = { disk: chains.memory, memory: chains.disk }
    twins = { disk: make("disk"), memory: make("memory") }
    for (const place of places) for (const part of chains[place]) applyEncoded([twins[place]], part)
    same("completeness", (state) => state.complete())
    if (!twins.memory.complete()) {
      met.anew++
      for (const place of places) twins[place].beginAnew()
    }
    same("what was restored", (state) => keys.map((key) => state.read?.(key, 0)))
    // a shard's first snapshot is whole
    snapshot("base")
  }
  for (let at = 0; at < 400; at++) {
    change()
    const asked = chance.pick(keys)
    same(`row ${asked} at ${at}`, (state) => state.get(asked))
    same(`size at ${at}`, (state) => state.size())
    met.compared++
    if (!chance.once(6)) continue
    commit(at)
    if (chance.once(4)) snapshot(chains.disk.length > 0 && chance.once(2) ? "base" : "increment")
    if (chance.once(8)) restart()
  }
  met.reads += twins.disk.stored?.().reads ?? 0
  twins.disk.discard?.()
  assert.strictEqual(folder.files.size, 0)
}

describe("tables on disk", () => {
  it("give what those in memory give, whatever the cache holds: 6 seeds", () => {
    const met: Met = { reads: 0, deleted: 0, anew: 0, compared: 0 }
    for (let seed = 1; seed <= 6; seed++) for (const cacheBytesMax of [0, 3000]) runTwins(seed, cacheBytesMax, met)
    assert.isAbove(met.compared, 4_000)
    assert.isAbove(met.reads, 1_000)
    assert.isAbove(met.deleted, 300)
    assert.isAbove(met.anew, 2)
  })

  it("give people one key of what is loaded", () => {
    const state = makeTableState({ name: "table(t)", fields: ["score"] })
    for (const key of ["a", "b"]) state.set(key, { score: 1 })
    const one = makeTableState({ name: "table(t)", fields: ["score"] })
    one.load(one.entriesOf?.(state.takeDelta(new RawBytes()), "b"))
    assert.strictEqual(one.size(), 1)
    assert.deepStrictEqual(one.read?.("b", 0), { values: { score: 1 } })
  })
})
