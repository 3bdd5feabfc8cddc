/**
 * Real servers for integration tests, started by the scripts in `FRAZIL_INFRA`: each test has an instance of its own.
 *
 * Without the scripts a test fails and says so.
 */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope } from "effect"

const infra = process.env.FRAZIL_INFRA ?? join(import.meta.dirname, "../../../../../shared/infra")

/** Runs a script's verb; gives what it printed. */
const script = (name: string, verb: ReadonlyArray<string>, environment: Readonly<Record<string, string>>) =>
  Effect.callback<string>((resume) => {
    const path = join(infra, name)
    if (!existsSync(path)) {
      resume(
        Effect.die(
          new Error(`${name} is not in ${infra}: set FRAZIL_INFRA to the folder of scripts that start servers`)
        )
      )
      return
    }
    execFile("bash", [path, ...verb], { env: { ...process.env, ...environment } }, (error, stdout, stderr) => {
      resume(
        error === null ? Effect.succeed(`${stdout}${stderr}`) : Effect.die(new Error(`${name} ${verb[0]}: ${stderr}`))
      )
    })
  })

export interface Server {
  readonly url: string
  readonly pid: number
  readonly stop: Effect.Effect<void>
  readonly start: Effect.Effect<void>
}

const server = (
  name: string,
  url: string,
  environment: Readonly<Record<string, string>>
): Effect.Effect<Server, never, Scope.Scope> => {
  const up = script(name, ["up"], environment)
  return Effect.map(
    Effect.acquireRelease(up, () => script(name, ["wipe"], environment)),
    (said) => ({
      url,
      pid: Number(/pid=(\d+)/.exec(said)?.[1]),
      stop: Effect.asVoid(script(name, ["down"], environment)),
      start: Effect.asVoid(up)
    })
  )
}

export const postgresServer = (port: number): Effect.Effect<Server, never, Scope.Scope> =>
  server("postgres.sh", `postgres://lab@127.0.0.1:${port}/postgres`, {
    PG_NAME: `postgres-it-${port}`,
    PG_PORT: String(port)
  })

export const redisServer = (port: number): Effect.Effect<Server, never, Scope.Scope> =>
  server("redis.sh", `redis://127.0.0.1:${port}`, { REDIS_NAME: `redis-it-${port}`, REDIS_PORT: String(port) })

/** A broker without passwords. `more`: lines of server.properties, separated by `\n`. */
export const kafkaServer = (port: number, more = ""): Effect.Effect<Server, never, Scope.Scope> =>
  server("kafka.sh", `kafka://127.0.0.1:${port}`, {
    KAFKA_NAME: `kafka-it-${port}`,
    KAFKA_PORT: String(port),
    KAFKA_HEAP: "384m",
    KAFKA_EXTRA: more
  })
