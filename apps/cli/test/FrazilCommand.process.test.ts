/**
 * What a shell sees of `frazil`: exit codes, one line of error, data alone on stdout, and no file made by looking.
 */
import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "./DataFixture.ts"

const main = join(import.meta.dirname, "../src/main.ts")
const runtimeOptions = "deno" in process.versions ? ["run", "-A"] : []

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Options {
  readonly stdin?: string
  /** Close stdout after the first bytes, as `head` does. */
  readonly closeEarly?: boolean
}

const run = (folder: string, args: ReadonlyArray<string>, options: Options = {}): Effect.Effect<Ended> =>
  Effect.callback((resume) => {
    const child = spawn(process.execPath, [...runtimeOptions, main, ...args], {
      cwd: folder,
      env: { ...process.env, FRAZIL_DATA: "data", NO_COLOR: "1" }
    })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString()
      if (options.closeEarly === true) child.stdout.destroy()
    })
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()))
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    child.stdin.end(options.stdin ?? "")
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe("frazil", () => {
  it.live("refuses to look where nothing is: code 1, one line, and no file made", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      for (const args of [
        ["topics", "list"],
        ["tables", "audit", "transactions.raw"],
        ["health", "--json"]
      ]) {
        const ended = yield* run(folder, args)
        assert.strictEqual(ended.code, 1)
        assert.match(ended.stderr, /^error: [^\n]+\n$/)
      }
      assert.deepStrictEqual(readdirSync(folder), [])
    })
  )

  it.live("says in one line what is wrong with an invocation", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const ended = yield* run(folder, ["topics", "read", "x", "--from", "noon"])
      assert.deepStrictEqual([ended.code, ended.stdout], [1, ""])
      assert.match(ended.stderr, /^error: [^\n]*--from[^\n]*2026-01-14T23:45:00Z[^\n]*\n$/)
    })
  )

  it.live("gives back what it was given, all of it, and ends quietly when nobody reads on", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const lines = Array.from({ length: 40_000 }, (_, i) => `{"n":${i},"text":"${"x".repeat(40)}"}`)
      const stdin = `${lines.join("\n")}\n`
      const written = yield* run(folder, ["topics", "write", "n", "--partitions", "1"], { stdin })
      assert.deepStrictEqual([written.code, written.stdout], [0, ""])
      assert.include(written.stderr, "40,000 records to n")
      const read = yield* run(folder, ["topics", "read", "n"])
      assert.strictEqual(read.code, 0)
      assert.isTrue(read.stdout === stdin)
      const closed = yield* run(folder, ["topics", "read", "n"], { closeEarly: true })
      assert.deepStrictEqual([closed.code, closed.stderr], [0, ""])
    })
  )
})
