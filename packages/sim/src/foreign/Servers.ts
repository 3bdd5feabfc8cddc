/** Databases for integration tests. */
import type { Effect, Scope } from "effect"
import { type Server, server } from "./Server.ts"

export type { Server }

export const postgresServer = (port: number): Effect.Effect<Server, never, Scope.Scope> =>
  server("postgres.sh", `postgres://lab@127.0.0.1:${port}/postgres`, {
    PG_NAME: `postgres-it-${port}`,
    PG_PORT: String(port)
  })

export const redisServer = (port: number): Effect.Effect<Server, never, Scope.Scope> =>
  server("redis.sh", `redis://127.0.0.1:${port}`, { REDIS_NAME: `redis-it-${port}`, REDIS_PORT: String(port) })
