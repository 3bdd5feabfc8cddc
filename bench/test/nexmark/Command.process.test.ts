/** The command: files in and out, and what it says to calls that make no sense. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"

const folder = mkdtempSync(join(tmpdir(), "frazil-nexmark-test-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const main = join(import.meta.dirname, "../../src/main.ts")
const bench = (...words: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [main, ...words], { encoding: "utf8" })
  return { status, stderr, stdout }
}

const path = (name: string) => join(folder, name)

describe("bun run bench nexmark", () => {
  it("generates events, the same for the same seed, and answers a query over them", () => {
    const options = ["--events", "1000", "--seed", "7"]
    assert.strictEqual(bench("nexmark", "generate", ...options, "--output", path("a")).status, 0)
    assert.strictEqual(bench("nexmark", "generate", ...options).stdout, readFileSync(path("a"), "utf8"))
    const { status, stderr } = bench("nexmark", "q0", "--input", path("a"), "--output", path("q0"))
    assert.strictEqual(status, 0)
    assert.include(stderr, '"events":1000')
    const rows = readFileSync(path("q0"), "utf8").trimEnd().split("\n")
    assert.strictEqual(rows.length, 920)
    assert.hasAllKeys(JSON.parse(rows[0]!), ["auction", "bidder", "price", "date_time", "extra"])
  })

  it("says in one line what is wrong with a call", () => {
    const wrong: ReadonlyArray<readonly [words: ReadonlyArray<string>, told: RegExp]> = [
      [["nexmark", "q99"], /^nexmark: no query q99: there are q0, .*\n$/],
      [["nexmark", "q0"], /^nexmark: name the events: --input FILE.ndjson\n$/],
      [["nexmark", "q0", "--input", path("none")], /^nexmark: .* is not there\n$/],
      [["nexmark", "q0", "--input", folder], /^nexmark: .* is a folder: give --input a file of events\n$/],
      [
        ["nexmark", "q0", "--input", path("a"), "--output", path("none/q0")],
        /^nexmark: .*none\/q0 cannot be written \(ENOENT.*\): give --output a file .*\n$/
      ],
      [["nexmark", "generate", "--events", "many"], /^nexmark: --events takes a whole number, found many\n$/],
      [["nexmark", "--speed", "1"], /^nexmark: no option --speed: there are --input, .*\n$/],
      [["w9"], /^bench: no benchmark w9: there are w1, .*, nexmark\n$/]
    ]
    for (const [words, told] of wrong) {
      const { status, stderr, stdout } = bench(...words)
      assert.strictEqual(status, 1, words.join(" "))
      assert.match(stderr, told)
      assert.strictEqual(stdout, "")
    }
  })
})
