/** The peers' table over a folder of small scripts: cost, answers that differ, bounds, and what is not installed. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { comparePeers, peerInput } from "../../src/peers/Compare.ts"
import { differingFields } from "../../src/peers/SameAnswer.ts"
import { medianFields } from "../../src/support/Benchmark.ts"
import { keptAll, tableText } from "../../src/support/Table.ts"
import { someMachine } from "../support/SomeMachine.ts"

const folder = mkdtempSync(join(tmpdir(), "frazil-peers-test-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const script = (name: string, text: string) => {
  const file = join(folder, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
}

const answer = { n: 1000, high: 1, review: 2, clean: 3, invalid: 0, rules: [1, 0, 0, 0, 2], amount_cents: 12 }
const ours = { ...answer, cpuMicrosPerEvent: 2 }
const told = (fields: object) => `echo starting; echo '${JSON.stringify(fields)}'`

// the second and third pass are warm: 8 and 4 ms for 1,000 records
script("flink.sh", told({ ...answer, cpus: ["0.9", "0.008", "0.004"], cold_cpu: 1.5, cold_wall: 2.5 }))
script("flink/classes/peers/Main.class", "")
script("rust/target/release/limit", told({ ...answer, high: 2, rules: [1, 0, 0, 0, 3] }))
script("venv/bin/python", "echo no such module >&2; exit 3")
script("duck.py", "")
script("venv/lib/python3.12/site-packages/duckdb/x", "")

const file = join(folder, "t.ndjson")
writeFileSync(file, "")

describe("--peers", () => {
  const compared = comparePeers(folder, "w1", file, ours, () => {})
  const of = (name: string) => compared.find(({ peer }) => peer === name)

  it("sets ours against a warm pass where the bound says so, and against the whole process otherwise", () => {
    const flink = of("Flink, Jackson")
    assert.deepStrictEqual(flink, {
      peer: "Flink, Jackson",
      answer: "equal",
      cpuMicros: 1500,
      warmMicros: 8,
      wallSeconds: 2.5,
      ratio: 0.25,
      basis: "warm",
      bound: 3,
      kept: true
    })
    // a half of eight is more than two
    assert.strictEqual(of("Flink, fastjson2")?.kept, true)
    const slow = comparePeers(folder, "w1", file, { ...ours, cpuMicrosPerEvent: 3 }, () => {})
    assert.deepStrictEqual(
      slow.filter(({ kept }) => kept !== undefined).map(({ kept, peer }) => [peer, kept]),
      [
        ["Flink, Jackson", false],
        ["Flink, fastjson2", true]
      ]
    )
  })

  it("takes the CPU of children's whole trees", () => {
    script("rust/target/release/limit", `sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; ${told(answer)}`)
    const [rust] = comparePeers(folder, "w1", file, ours, () => {})
    // a loop of 200,000 turns in a child of the child takes longer than starting a shell
    assert.isAbove(rust!.cpuMicros!, 20)
    assert.isUndefined(rust!.bound)
    assert.strictEqual(rust!.basis, "whole")
  })

  it("names fields that differ, peers that fail, and peers that are not installed", () => {
    assert.strictEqual(of("Rust, SIMD JSON")?.answer, "differs: high, rules")
    assert.strictEqual(of("DuckDB, two threads")?.answer, "failed with code 3: no such module")
    assert.strictEqual(of("plain Bun")?.answer, "not installed: plain.mjs is not there")
    assert.match(of("Bytewax")!.answer, /^not installed: bw\.py is not there/)
    assert.isUndefined(of("PyIceberg, Arrow"))
  })

  it("keeps no bound against a peer that answers something else, or does not run", () => {
    script("flink.sh", told({ ...answer, high: 2, cpus: ["0.9", "0.008", "0.004"], cold_cpu: 1.5, cold_wall: 2.5 }))
    const differing = comparePeers(folder, "w1", file, ours, () => {})
    assert.deepInclude(
      differing.find(({ peer }) => peer === "Flink, Jackson"),
      { answer: "differs: high", ratio: 0.25, kept: false }
    )
    script("flink.sh", "exit 1")
    const failed = comparePeers(folder, "w1", file, ours, () => {})
    assert.deepInclude(
      failed.find(({ peer }) => peer === "Flink, Jackson"),
      { answer: "failed with code 1", bound: 3, basis: "warm", kept: false }
    )
    const missing = comparePeers(folder, "w2-kafka", file, ours, () => {})
    assert.deepStrictEqual(
      missing.map(({ kept, peer }) => [peer, kept]),
      [
        ["Kafka Streams, RocksDB", false],
        ["Kafka Streams, in memory", undefined]
      ]
    )
  })

  it("prints a row for each, and counts a missed ratio as missed", () => {
    const bounds = { w1: [["cpuMicrosPerEvent", 5, "µs"]] } as const
    const measured = [{ name: "w1", fields: ours, failed: undefined, comparisons: compared }]
    const text = tableText(someMachine, "t", bounds, {}, measured)
    assert.match(
      text,
      /\n\| w1 \| Flink, Jackson \| 1500\.00 \| 8\.00 \| 2\.5 \| {2}\| equal \| 0\.25 of warm \| 1\/3 warm \| kept \|\n/
    )
    assert.match(text, /\n\| w1 \| plain Bun \| {2}\| {2}\| {2}\| {2}\| not installed: plain\.mjs is not there \|/)
    assert.isTrue(keptAll(bounds, measured))
    const missed = compared.map((each) => ({ ...each, ...(each.kept === undefined ? {} : { kept: false }) }))
    assert.isFalse(keptAll(bounds, [{ ...measured[0]!, comparisons: missed }]))
  })
})

describe("what peers are given and told", () => {
  it("knows the topics of the peers' own files only", () => {
    assert.strictEqual(peerInput(folder, join(folder, "data/t2m.ndjson")).topic, "t2m")
    assert.isUndefined(peerInput(folder, file).topic)
    assert.isUndefined(peerInput(folder, "/elsewhere/t2m.ndjson").topic)
  })

  it("compares rows by their hash, tables by their rows and days", () => {
    const rows = { ...answer, rows: 1, rows_sha256: "a" }
    assert.deepStrictEqual(differingFields("w2", rows, { ...rows, rows_sha256: "b" }), ["rows_sha256"])
    const landed = { rows: 5, by_day: [["2026-01-14", 5, 70]] }
    assert.deepStrictEqual(differingFields("w5", landed, { by_day: [["2026-01-14", 5, 2, 70]] }), [])
    assert.deepStrictEqual(differingFields("w5", landed, { by_day: [["2026-01-14", 5, 2, 71]] }), ["by_day"])
    assert.deepStrictEqual(differingFields("w5", landed, { iceberg: { records: "5" }, rows: 0 }), [])
    assert.deepStrictEqual(differingFields("w5", landed, { records: 4 }), ["rows"])
    assert.deepStrictEqual(differingFields("w1", answer, { engine: "x" }), Object.keys(answer).slice(1))
  })

  it("takes the median of each figure over runs", () => {
    const runs = [3, 1, 2].map((value) => ({ w: "x", value, other: value * 10 }))
    assert.deepStrictEqual(medianFields(runs), { w: "x", value: 2, other: 20 })
  })
})
