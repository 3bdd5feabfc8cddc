/** Apps as processes, started as a person starts them, listened to, measured and killed. */
import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Effect, type Scope } from "effect"

const root = join(import.meta.dirname, "../..")
const sayTimeoutMs = 180_000
const lookEveryMs = 100
const linesKept = 2_000

export interface AppProcess {
  readonly child: ChildProcess
  /** Waits for a line that it says, and gives what matches. Dies when it ends, or says nothing like it, before. */
  readonly said: (pattern: RegExp) => Effect.Effect<string>
  /** Waits for its end; null after a signal. */
  readonly ended: Effect.Effect<number | null>
  /** What it said lately. */
  readonly lines: () => ReadonlyArray<string>
  /** The most memory that it had resident, as last looked at. */
  readonly peakBytes: () => number
  /** Its resident memory, a look every 100 ms. */
  readonly residentBytes: ReadonlyArray<number>
}

/** What the kernel says of a process's memory, as long as it is there: the peak, and what is resident now. */
const memoryOf = (pid: number | undefined, field: "VmHWM" | "VmRSS"): number => {
  try {
    const [, kilobytes] = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
    return Number(kilobytes ?? 0) * 1024
  } catch {
    // it has ended, or this is no Linux: nothing is known
    return 0
  }
}

const start = (app: string, args: ReadonlyArray<string>, cwd: string) => {
  const child = spawn(process.execPath, [join(root, "apps", app), ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const lines: Array<string> = []
  for (const input of [child.stdout, child.stderr]) {
    // whole ones: what is read at a time may end in the midst of a port
    createInterface({ input }).on("line", (line) => {
      lines.push(line)
      lines.splice(0, lines.length - linesKept)
    })
  }
  const end = { over: false }
  const closed = new Promise<number | null>((resolve) =>
    child.once("close", (code) => {
      end.over = true
      resolve(code)
    })
  )
  return { child, closed, end, lines }
}

/** Starts `apps/APP`; killed with the scope if it still runs. */
export const startApp = Effect.fnUntraced(function* (
  app: string,
  args: ReadonlyArray<string>,
  cwd: string
): Effect.fn.Return<AppProcess, never, Scope.Scope> {
  const { child, closed, end, lines } = yield* Effect.acquireRelease(
    Effect.sync(() => start(app, args, cwd)),
    (running) =>
      Effect.promise(() => {
        running.child.kill("SIGKILL")
        return running.closed
      })
  )
  let peak = 0
  const residentBytes: Array<number> = []
  const look = Effect.sync(() => {
    peak = Math.max(peak, memoryOf(child.pid, "VmHWM"))
    residentBytes.push(memoryOf(child.pid, "VmRSS"))
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(look, Effect.sleep(lookEveryMs))))
  const said = (pattern: RegExp) =>
    Effect.gen(function* () {
      for (let waitedMs = 0; waitedMs < sayTimeoutMs; waitedMs += lookEveryMs) {
        // asked first: one that has ended may have said it with its last words
        const { over } = end
        const match = lines.map((line) => pattern.exec(line)?.[0]).find((text) => text !== undefined)
        if (match !== undefined) return match
        if (over) break
        yield* Effect.sleep(lookEveryMs)
      }
      return yield* Effect.die(new Error(`apps/${app} did not say ${pattern}: ${lines.slice(-20).join("\n")}`))
    })
  return { child, said, ended: Effect.promise(() => closed), lines: () => lines, peakBytes: () => peak, residentBytes }
})

/** Runs `apps/APP` to its end; dies when that is not a good one. */
export const runApp = (app: string, args: ReadonlyArray<string>, cwd: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { ended, lines } = yield* startApp(app, args, cwd)
      const code = yield* ended
      if (code !== 0) return yield* Effect.die(new Error(`apps/${app} ended with ${code}: ${lines().join("\n")}`))
      return lines()
    })
  )
