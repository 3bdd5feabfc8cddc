/**
 * A signal ends an app with exit code 0 at any time: while its code is being loaded, and while its command runs.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

/** Starts the app, sends the signal once it says that it has come so far, and tells how it ended. */
const signalled = (when: string, signal: NodeJS.Signals) =>
  Effect.promise(
    () =>
      new Promise<string>((resolve) => {
        const child = spawn(process.execPath, [join(import.meta.dirname, "StartProcess.ts"), when], {
          stdio: ["pipe", "pipe", "inherit"]
        })
        child.stdout.once("data", (said: Buffer) => {
          assert.strictEqual(said.toString(), `${when}\n`)
          child.kill(signal)
        })
        child.on("close", (code, by) => resolve(`exit code ${code}, signal ${by}`))
      })
  )

describe("an app", () => {
  for (const when of ["loading", "running"]) {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      it.live(`ends with exit code 0 by ${signal} while ${when}`, () =>
        Effect.gen(function* () {
          assert.strictEqual(yield* signalled(when, signal), "exit code 0, signal null")
        })
      )
    }
  }
})
