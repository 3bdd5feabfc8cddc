import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { catalogLayer, dataDirectory, logLayer } from "@frazil/platform"
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"

const main = join(import.meta.dirname, "../src/main.ts")

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-api-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Starts the app; gives what it said on stderr when it said a line, and how it ended after `signal`. */
const start = (options: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [main, ...options], { stdio: ["ignore", "ignore", "pipe"] })
  let said = ""
  child.stderr.on("data", (piece: Uint8Array) => {
    said += Buffer.from(piece).toString()
  })
  return {
    line: Effect.promise(async () => {
      while (!said.includes("\n")) await new Promise((resolve) => child.stderr.once("data", resolve))
      return said.trimEnd()
    }),
    ended: Effect.callback<number | null>((resume) => {
      if (child.exitCode !== null) resume(Effect.succeed(child.exitCode))
      child.once("exit", (code) => resume(Effect.succeed(code)))
    }),
    stop: Effect.sync(() => child.kill("SIGINT"))
  }
}

/** A data directory with a log and a catalog, both empty. */
const emptyData = Effect.gen(function* () {
  const data = join(yield* temporaryFolder, "data")
  const directory = dataDirectory(data)
  yield* Effect.scoped(Layer.build(Layer.mergeAll(logLayer(directory), catalogLayer(directory))))
  return data
})

it.live("serves an existing directory until it is stopped, with exit code 0", () =>
  Effect.gen(function* () {
    const app = start(["--data", yield* emptyData, "--port", "0"])
    const line = yield* app.line
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? line
    const tables = yield* Effect.promise(async () => (await fetch(`${address}/v1/tables`)).text())
    assert.strictEqual(tables, `{"tables":[]}\n`)
    yield* app.stop
    assert.strictEqual(yield* app.ended, 0)
  })
)

const refused = Effect.fnUntraced(function* (options: ReadonlyArray<string>, expected: string) {
  const app = start(options)
  assert.isAbove((yield* app.ended) ?? 0, 0)
  const line = yield* app.line
  assert.include(line, expected)
  assert.strictEqual(line.split("\n").length, 1)
})

it.live("says in one line what is wrong: no directory, no lake, a port that is taken", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    yield* refused(["--data", join(folder, "none")], "there is no data directory")
    writeFileSync(join(folder, "log.db"), "")
    yield* refused(["--data", folder], "nothing has landed yet")
    const taken = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer()
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    )
    const { port } = taken.address() as AddressInfo
    yield* refused(["--data", yield* emptyData, "--port", String(port)], "is taken by another program")
  })
)
