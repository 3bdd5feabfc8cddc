/** Claims in a real PostgreSQL: found, missing, senseless, slow, stopped and back. */
import { assert, layer } from "@effect/vitest"
import { Claims } from "@frazil/flows"
import { Context, Effect, Fiber, Layer, Schedule } from "effect"
import { openPostgres } from "../../src/index.ts"
import { postgresServer, type Server } from "@frazil/sim/servers"
import { claimsCases, claimsLookup } from "./ClaimsCases.ts"

const port = 5561
const timeoutMs = 1_000

class Postgres extends Context.Service<Postgres, Server>()("connect/test/Postgres") {}

const open = (url: string) => openPostgres("claims", { kind: "postgres", url, pool: 2 }, timeoutMs)

layer(Layer.effect(Postgres, postgresServer(port)), { excludeTestServices: true, timeout: "60 seconds" })(
  "a lookup in PostgreSQL",
  (it) => {
    it.effect("finds claims, says which are missing, and refuses rows that make no sense", () =>
      Effect.gen(function* () {
        const { url } = yield* Postgres
        const client = yield* open(url)
        yield* claimsCases(client)
        // as a flow has it
        const { lookup } = yield* Claims.pipe(Effect.provideService(Claims, claimsLookup(client)))
        assert.strictEqual((yield* lookup("CL2")).member_id, "ME2")
      })
    )

    it.effect("ends slow statements in time, in the server too, and interrupted ones at once", () =>
      Effect.gen(function* () {
        const { url } = yield* Postgres
        const client = yield* open(url)
        const error = yield* Effect.flip(client.query("SELECT pg_sleep(60)::text"))
        assert.strictEqual(error.reason, "TimedOut")
        const slow = yield* Effect.forkChild(client.query("SELECT pg_sleep(60)::text"), { startImmediately: true })
        yield* Effect.sleep(100)
        yield* Fiber.interrupt(slow)
        assert.deepStrictEqual(yield* client.query("SELECT 7::text"), [["7"]])
        yield* Effect.sleep(2 * timeoutMs)
        const running =
          "SELECT count(*)::text FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
        assert.deepStrictEqual(yield* client.query(running), [["0"]])
      })
    )

    it.effect("fails a statement whose connection breaks under it, and nothing else", () =>
      Effect.gen(function* () {
        const { url } = yield* Postgres
        const client = yield* openPostgres("claims", { kind: "postgres", url, pool: 3 }, 20_000)
        const sleeping = (seconds: number) =>
          Effect.forkChild(Effect.flip(client.query(`SELECT pg_sleep(${seconds})::text`)), { startImmediately: true })
        const breaking = yield* sleeping(18)
        const beside = yield* sleeping(19)
        const pidsOf = (seconds: number) =>
          client
            .query(
              `SELECT pid::text FROM pg_stat_activity WHERE query LIKE '%pg_sleep(${seconds})%' AND pid <> pg_backend_pid()`
            )
            .pipe(Effect.repeat({ until: (rows) => rows.length === 1, schedule: Schedule.spaced(20) }))
        yield* pidsOf(19)
        const [row] = yield* pidsOf(18)
        process.kill(Number(row?.[0]), "SIGKILL")
        assert.strictEqual((yield* Fiber.join(breaking)).reason, "Failed")
        // the server ends every connection then, and begins anew: until this one has ended, it has not noticed yet
        assert.strictEqual((yield* Fiber.join(beside)).reason, "Failed")
        const again = client.query("SELECT 7::text").pipe(Effect.retry({ times: 50, schedule: Schedule.spaced(100) }))
        assert.deepStrictEqual(yield* again, [["7"]])
      })
    )

    it.effect("fails while the server is gone or hangs, and works again once it is back", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const client = yield* open(server.url)
        yield* claimsCases(client)
        const { lookup } = claimsLookup(client)
        // one without connections: those that are open are served by processes of their own
        const fresh = claimsLookup(yield* open(server.url))
        yield* Effect.acquireUseRelease(
          Effect.sync(() => process.kill(server.pid, "SIGSTOP")),
          () =>
            Effect.gen(function* () {
              assert.strictEqual((yield* Effect.flip(fresh.lookup("CL1")))._tag, "DbTimeout")
            }),
          () => Effect.sync(() => process.kill(server.pid, "SIGCONT"))
        )
        assert.strictEqual((yield* fresh.lookup("CL1")).member_id, "ME1")
        yield* server.stop
        assert.deepInclude(yield* Effect.flip(lookup("CL1")), { _tag: "DbError", passing: true })
        yield* server.start
        assert.strictEqual((yield* lookup("CL1")).member_id, "ME1")
      })
    )
  }
)
