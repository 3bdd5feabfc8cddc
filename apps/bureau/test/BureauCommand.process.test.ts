import { spawn } from "node:child_process"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"

const main = join(import.meta.dirname, "../src/main.ts")

/** Starts the app; gives the first line it says on stderr, and how it ends. */
const start = (options: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [main, ...options], { stdio: ["ignore", "ignore", "pipe"] })
  let said = ""
  child.stderr.on("data", (piece: Uint8Array) => {
    said += Buffer.from(piece).toString()
  })
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
  return {
    line: Effect.promise(async () => {
      while (!said.includes("\n")) await new Promise((resolve) => child.stderr.once("data", resolve))
      return said.trimEnd()
    }),
    ended: Effect.promise(() => ended),
    stop: Effect.sync(() => child.kill("SIGINT"))
  }
}

it.live("scores over HTTP as its options say, until Ctrl-C", () =>
  Effect.gen(function* () {
    const app = start(["--port", "0", "--seed", "3", "--delay", "1ms", "--limit", "100/s", "--concurrency", "5"])
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(yield* app.line)?.[0] ?? ""
    const told = yield* Effect.promise(async () => {
      const body = JSON.stringify({ ssn: "111111119" })
      const scored = await fetch(`${address}/v1/score`, { method: "POST", body })
      const control = await fetch(`${address}/control`)
      return [await scored.text(), await control.text()] as const
    })
    assert.strictEqual(told[0], `{"ssn":"111111119","score":450}`)
    const behaviour = `"delayMsMin":1,"delayMsMax":1,"limitPerSecond":100,"concurrency":5,"failRate":0,"hangRate":0`
    assert.include(told[1], behaviour)
    yield* app.stop
    assert.strictEqual(yield* app.ended, 0)
  })
)

it.live("refuses options that make no sense with one line", () =>
  Effect.gen(function* () {
    const app = start(["--port", "0", "--delay", "2s..1s"])
    assert.strictEqual(yield* app.ended, 1)
    const line = yield* app.line
    assert.match(line, /^error: .*200ms\.\.1500ms/)
    assert.notInclude(line, "\n")
  })
)
