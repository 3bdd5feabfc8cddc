/**
 * Child processes for tests, run by the same runtime and ended with their scope.
 */
import { Effect, type Scope } from "effect"
import { type ChildProcess as NodeChild, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

export interface ChildProcess {
  readonly kill: (signal: "SIGKILL" | "SIGTERM") => void
  /** Ends when the process has: its exit code, or null after a signal. */
  readonly exit: Effect.Effect<number | null>
  /** Ends with the first line that satisfies; fails the test when the process ends before. */
  readonly line: (satisfies: (line: string) => boolean) => Effect.Effect<string>
  /** Lines so far. */
  readonly lines: ReadonlyArray<string>
}

const observe = (child: NodeChild): ChildProcess => {
  const lines: Array<string> = []
  let partial = ""
  let errors = ""
  let ended = false
  const changed = new Set<() => void>()
  const notify = () => [...changed].forEach((check) => check())
  child.stdout?.on("data", (data: Buffer) => {
    const parts = (partial + data.toString()).split("\n")
    partial = parts.pop() ?? ""
    lines.push(...parts)
    notify()
  })
  child.stderr?.on("data", (data: Buffer) => (errors += data.toString()))
  child.on("close", () => {
    ended = true
    notify()
  })
  const when = <A>(check: () => Effect.Effect<A> | undefined) =>
    Effect.callback<A>((resume) => {
      const look = () => {
        const found = check()
        if (found === undefined) return
        changed.delete(look)
        resume(found)
      }
      changed.add(look)
      look()
      return Effect.sync(() => changed.delete(look))
    })
  return {
    lines,
    kill: (signal) => child.kill(signal),
    exit: when(() => (ended ? Effect.succeed(child.exitCode) : undefined)),
    line: (satisfies) =>
      when(() => {
        const found = lines.find(satisfies)
        if (found !== undefined) return Effect.succeed(found)
        return ended ? Effect.die(new Error(`the child process ended too early: ${errors}`)) : undefined
      })
  }
}

/** Runs a module beside the calling test's in a process of its own. */
export const runChild = (
  module: string,
  ...parameters: ReadonlyArray<string>
): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [fileURLToPath(new URL(module, import.meta.url)), ...parameters])),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    ),
    observe
  )
