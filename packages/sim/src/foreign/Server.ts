/**
 * A real server for integration tests, started by a script in `FRAZIL_INFRA`: each test has an instance of its own.
 *
 * Without the scripts a test fails and says so.
 */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { isAbsolute, join } from "node:path"
import { Effect, Exit, type Scope } from "effect"

const infra = process.env.FRAZIL_INFRA ?? join(import.meta.dirname, "../../../../../shared/infra")

/** Runs a verb of a script of the folder, or of our own; gives what it printed. */
const script = (name: string, verb: ReadonlyArray<string>, environment: Readonly<Record<string, string>>) =>
  Effect.callback<string>((resume) => {
    const path = isAbsolute(name) ? name : join(infra, name)
    if (!existsSync(path)) {
      resume(
        Effect.die(
          new Error(`${name} is not in ${infra}: set FRAZIL_INFRA to the folder of scripts that start servers`)
        )
      )
      return
    }
    execFile(
      "bash",
      [path, ...verb],
      { env: { ...process.env, FRAZIL_INFRA: infra, ...environment } },
      (error, stdout, stderr) => {
        resume(
          error === null ? Effect.succeed(`${stdout}${stderr}`) : Effect.die(new Error(`${name} ${verb[0]}: ${stderr}`))
        )
      }
    )
  })

export interface Server {
  readonly url: string
  readonly pid: number
  /** What a verb of its script prints, with arguments. */
  readonly run: (...verb: ReadonlyArray<string>) => Effect.Effect<string>
  readonly stop: Effect.Effect<void>
  /** Of the process that runs now, which is another after a restart. */
  readonly pidNow: Effect.Effect<number>
  /** `kill -9`, of the process that runs now. */
  readonly kill: Effect.Effect<void>
  readonly start: Effect.Effect<void>
}

const pidOf = (said: string): number => Number(/pid=(\d+)/.exec(said)?.[1])

export const server = (
  name: string,
  url: string,
  environment: Readonly<Record<string, string>>
): Effect.Effect<Server, never, Scope.Scope> => {
  const up = script(name, ["up"], environment)
  const pidNow = Effect.map(script(name, ["status"], environment), pidOf)
  return Effect.map(
    Effect.acquireRelease(up, () => script(name, ["wipe"], environment)),
    (said) => ({
      url,
      pid: pidOf(said),
      run: (...verb) => script(name, verb, environment),
      pidNow,
      kill: Effect.gen(function* () {
        process.kill(yield* pidNow, "SIGKILL")
        // its script says that it is up until the system has noticed; its port is free a moment later
        yield* Effect.repeat(Effect.exit(pidNow), { while: Exit.isSuccess })
        yield* Effect.sleep(500)
      }),
      stop: Effect.asVoid(script(name, ["down"], environment)),
      start: Effect.asVoid(up)
    })
  )
}
