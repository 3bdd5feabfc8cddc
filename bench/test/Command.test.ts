/** What the command says to calls that make no sense. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { bench } from "../src/Command.ts"
import { BenchError } from "../src/support/BenchError.ts"

const folder = mkdtempSync(join(tmpdir(), "frazil-bench-test-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = (name: string) => join(folder, name)

const benchmarks = { bounds: { w1: [], w2: [], alerts: [] }, comparedWith: {}, withServers: new Set<string>() }

/** What it says to the words, without having run anything. */
const refusal = async (...words: ReadonlyArray<string>): Promise<string> => {
  try {
    await bench(benchmarks, words)
    return "nothing"
  } catch (error) {
    if (error instanceof BenchError) return error.message
    throw error
  }
}

describe("bun run bench", () => {
  it("says in one line what is wrong with a call", async () => {
    writeFileSync(path("t"), "")
    const wrong: ReadonlyArray<readonly [words: string, told: RegExp]> = [
      ["w9", /^no benchmark w9: there are w1, w2, alerts, nexmark$/],
      ["--speed 1", /^no option --speed: there are --input, /],
      ["w1 --input", /^--input needs a value$/],
      ["w1 --input --json", /^--input needs a value$/],
      [`w1 --input ${path("none")} --json`, /none cannot be read \(ENOENT.*\): give --input a file of transactions/],
      [`w1 --input ${folder}`, /cannot be read \(it is not a regular file\): give --input/],
      [`w1 --input ${path("t")} --output ${path("t")}/x`, /t\/x cannot be made \(E.*\): give --output a folder/],
      ["w1 --output x w2", /^--output and --through go with one workload/],
      ["alerts --through log", /^--output and --through go with one workload/],
      [`w1 --input ${path("t")} --through kafka`, /^--through takes log or file, found kafka$/],
      ["w1 --events 1.5", /^--events takes a whole number of at least 1, found 1\.5$/],
      [`w1 --input ${path("t")} --runs 0`, /^--runs takes a whole number of at least 1, found 0$/],
      [`w1 --peers ${path("none")}`, /none is not there: name the folder that peers\/setup.sh was told$/]
    ]
    for (const [words, told] of wrong) assert.match(await refusal(...words.split(" ")), told, words)
    assert.isFalse(existsSync("x"))
  })
})
